ALTER TABLE imports DROP COLUMN settings;
