-- What the sender said of the file: the same file for something else is another import.
ALTER TABLE imports ADD COLUMN settings json NOT NULL DEFAULT '{}';
