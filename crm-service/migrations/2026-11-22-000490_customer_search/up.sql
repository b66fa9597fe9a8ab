-- What is searched of a customer and of its contacts.
ALTER TABLE customers ADD COLUMN search_text text NOT NULL GENERATED ALWAYS AS (
    lower(name || E'\n' || coalesce(email, '') || E'\n' || coalesce(phone, '') || E'\n' || coalesce(tax_id, '')
          || E'\n' || coalesce(external_ref, ''))) STORED;
ALTER TABLE contacts ADD COLUMN search_text text NOT NULL GENERATED ALWAYS AS (
    lower(name || E'\n' || coalesce(email, '') || E'\n' || coalesce(phone, ''))) STORED;

-- A short list of what is not yet sorted in: whoever searches reads it whole.
CREATE INDEX customers_text ON customers USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 256);
CREATE INDEX contacts_text ON contacts USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 256);
