ALTER TABLE contacts DROP COLUMN search_text;
ALTER TABLE customers DROP COLUMN search_text;
