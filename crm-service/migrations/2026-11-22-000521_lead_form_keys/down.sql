ALTER TABLE lead_forms DROP COLUMN old_keys, DROP COLUMN previous_keys;
