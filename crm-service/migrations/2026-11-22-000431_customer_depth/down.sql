DROP TRIGGER customers_acyclic ON customers;
DROP FUNCTION refuse_customer_cycle;
ALTER TABLE customers
    DROP CONSTRAINT customers_merged_are_archived,
    DROP CONSTRAINT customers_merged_when,
    DROP COLUMN tags,
    DROP COLUMN parent_id,
    DROP COLUMN custom_fields,
    DROP COLUMN merged_into,
    DROP COLUMN merged_at;
