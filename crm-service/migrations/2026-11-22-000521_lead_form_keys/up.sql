-- A form gets another key while pages still send under the one before.
ALTER TABLE lead_forms
    -- [{key, valid_until}], the newest first
    ADD COLUMN previous_keys json NOT NULL DEFAULT '[]',
    -- The same keys, to be found by.
    ADD COLUMN old_keys text[] NOT NULL DEFAULT '{}' CHECK (cardinality(old_keys) <= 100);
CREATE INDEX lead_forms_by_old_key ON lead_forms USING gin (old_keys);
