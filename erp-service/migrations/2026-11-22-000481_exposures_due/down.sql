DROP TABLE exposure_cursor;
DROP TABLE exposures_due;
