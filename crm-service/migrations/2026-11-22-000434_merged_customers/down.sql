DROP FUNCTION refuse_merged_customer CASCADE;
ALTER TABLE customers ADD COLUMN merged_at timestamptz;
UPDATE customers SET merged_at = updated_at WHERE merged_into IS NOT NULL;
ALTER TABLE customers ADD CONSTRAINT customers_merged_when CHECK ((merged_into IS NULL) = (merged_at IS NULL));
