ALTER TABLE bookings ADD COLUMN description text CHECK (length(description) BETWEEN 1 AND 2000);
