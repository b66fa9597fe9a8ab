-- When it was stands in the timeline of the survivor.
ALTER TABLE customers DROP CONSTRAINT customers_merged_when, DROP COLUMN merged_at;

-- Nothing more is hung on a customer that became part of another. Who merges holds the customer alone; who
-- hangs something on it meanwhile waits in the check of the foreign key, which comes before this (triggers go by name),
-- and then sees what happened.
CREATE FUNCTION refuse_merged_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM customers WHERE id = NEW.customer_id AND merged_into IS NOT NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'customer % was merged into another', NEW.customer_id
            USING ERRCODE = '23514', CONSTRAINT = 'customers_merged', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON contacts
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON addresses
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON legal_entities
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON orders
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON invoices
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON payments
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON consents
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON timeline_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON deals
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON activities
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
