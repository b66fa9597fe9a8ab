-- What came after merging: nothing more is hung on a customer that became part of another.
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON attachments
    FOR EACH ROW WHEN (NEW.customer_id IS NOT NULL) EXECUTE FUNCTION refuse_merged_customer();
