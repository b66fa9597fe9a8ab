ALTER TABLE bookings DROP COLUMN description;
