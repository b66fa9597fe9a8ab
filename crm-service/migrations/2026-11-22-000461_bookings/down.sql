DROP TABLE bookings;
DROP TABLE resources;
