ALTER TABLE invoices DROP COLUMN discount_taken_back, DROP COLUMN discount_parts;
