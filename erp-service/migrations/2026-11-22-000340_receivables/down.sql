ALTER TABLE customers DROP COLUMN payment_terms_id, DROP COLUMN overdue_stop_days, DROP COLUMN dunning_blocked;
ALTER TABLE company DROP COLUMN payment_terms_id, DROP COLUMN tax_on_advances, DROP COLUMN overdue_stop_days;
DROP TABLE payment_terms;
DROP FUNCTION instalments_make_one;
