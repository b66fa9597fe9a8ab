DROP TABLE payment_proposal_lines;
DROP TABLE proposed_payments;
DROP TABLE payment_proposals;
DELETE FROM series_numbers WHERE series = 'payment_proposal';
DELETE FROM series WHERE key = 'payment_proposal';
DELETE FROM purchase_approval_limits WHERE subject <> 'purchase_orders';
ALTER TABLE purchase_approval_limits
    DROP CONSTRAINT purchase_approval_limits_role_unique,
    DROP CONSTRAINT purchase_approval_limits_key_unique,
    ADD CONSTRAINT purchase_approval_limits_role_unique UNIQUE (role),
    ADD CONSTRAINT purchase_approval_limits_key_unique UNIQUE (api_key_id),
    DROP COLUMN subject;
ALTER TABLE suppliers
    DROP CONSTRAINT suppliers_bank_details_whole,
    DROP CONSTRAINT suppliers_iban,
    DROP COLUMN payments_blocked,
    DROP COLUMN bank_details_changed_at,
    DROP COLUMN bank_details_changed_by,
    DROP COLUMN account_holder;
