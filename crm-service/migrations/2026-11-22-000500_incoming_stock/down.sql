ALTER TABLE availability DROP COLUMN incoming;
