-- Paying suppliers: where their money goes, who approves payments, and proposals.

ALTER TABLE suppliers
    ADD COLUMN account_holder text CHECK (length(account_holder) BETWEEN 1 AND 140),
    -- Who last changed IBAN, BIC or account holder; whoever it was does not approve the next payment.
    ADD COLUMN bank_details_changed_by uuid,
    ADD COLUMN bank_details_changed_at timestamptz,
    ADD COLUMN payments_blocked boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT suppliers_iban CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$'),
    ADD CONSTRAINT suppliers_bank_details_whole CHECK (iban IS NOT NULL OR (bic IS NULL AND account_holder IS NULL));

ALTER TABLE purchase_approval_limits
    ADD COLUMN subject text NOT NULL DEFAULT 'purchase_orders' CHECK (subject IN ('purchase_orders', 'payment_proposals')),
    DROP CONSTRAINT purchase_approval_limits_role_unique,
    DROP CONSTRAINT purchase_approval_limits_key_unique,
    ADD CONSTRAINT purchase_approval_limits_role_unique UNIQUE (role, subject),
    ADD CONSTRAINT purchase_approval_limits_key_unique UNIQUE (api_key_id, subject);
INSERT INTO purchase_approval_limits (role, subject, amount, created_at) VALUES
    ('back_office', 'payment_proposals', 10000, now() + interval '1 second'), ('admin', 'payment_proposals', 1000000, now() + interval '1 second');

INSERT INTO series (key, prefix, ascending) VALUES ('payment_proposal', 'PP', false);

CREATE TABLE payment_proposals (
    id              uuid PRIMARY KEY,
    number          text NOT NULL CONSTRAINT payment_proposals_number_unique UNIQUE,
    status          text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'awaiting_approval', 'approved', 'executed', 'cancelled')),
    bank_account_id uuid NOT NULL REFERENCES bank_accounts,
    pay_date        date NOT NULL,
    due_to          date NOT NULL,
    take_discount   boolean NOT NULL,
    -- A payment of less is left out; in its own currency.
    minimum_amount  numeric(20,4) CHECK (minimum_amount >= 0),
    -- Empty: all suppliers.
    supplier_ids    jsonb NOT NULL CHECK (jsonb_typeof(supplier_ids) = 'array'),
    currencies      jsonb NOT NULL CHECK (jsonb_typeof(currencies) = 'array'),
    note            text CHECK (length(note) BETWEEN 1 AND 500),
    -- Why it was rejected or cancelled.
    reason          text CHECK (length(reason) BETWEEN 1 AND 500),
    -- In the base currency, when it was submitted or approved.
    value           numeric(20,4),
    created_by      uuid NOT NULL,
    changed_by      uuid NOT NULL,
    submitted_by    uuid,
    approved_by     uuid,
    approved_at     timestamptz,
    executed_by     uuid,
    executed_on     date,
    revision        bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT payment_proposals_approved_by_another CHECK (approved_by NOT IN (created_by, changed_by)),
    CONSTRAINT payment_proposals_approved_whole CHECK (status NOT IN ('approved', 'executed') OR (approved_by IS NOT NULL AND value IS NOT NULL)),
    CONSTRAINT payment_proposals_executed_whole CHECK ((status = 'executed') = (executed_on IS NOT NULL))
);
CREATE INDEX payment_proposals_by_age ON payment_proposals (created_at, id);
CREATE INDEX payment_proposals_by_date ON payment_proposals (pay_date, id);
CREATE TRIGGER payment_proposals_stay BEFORE DELETE OR TRUNCATE ON payment_proposals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What one supplier gets in one currency.
CREATE TABLE proposed_payments (
    id             uuid PRIMARY KEY,
    proposal_id    uuid NOT NULL REFERENCES payment_proposals,
    position       int NOT NULL CHECK (position > 0),
    supplier_id    uuid NOT NULL REFERENCES suppliers,
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount         numeric(20,4) NOT NULL CHECK (amount >= 0),
    status         text NOT NULL CHECK (status IN ('planned', 'left_out', 'paid', 'dropped')),
    reason         text,
    -- Where it goes, as it was approved.
    iban           text,
    bic            text,
    account_holder text,
    -- The payment has the id of what was planned: it cannot be made twice.
    payment_id     uuid UNIQUE REFERENCES payments DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT proposed_payments_once UNIQUE (proposal_id, supplier_id, currency),
    CONSTRAINT proposed_payments_position_unique UNIQUE (proposal_id, position),
    CONSTRAINT proposed_payments_paid_whole CHECK ((status = 'paid') = (payment_id IS NOT NULL) AND payment_id IS NOT DISTINCT FROM CASE status WHEN 'paid' THEN id END),
    CONSTRAINT proposed_payments_something CHECK (amount > 0 OR status NOT IN ('planned', 'paid'))
);

CREATE TABLE payment_proposal_lines (
    id                  uuid PRIMARY KEY,
    proposal_id         uuid NOT NULL REFERENCES payment_proposals,
    proposed_payment_id uuid NOT NULL REFERENCES proposed_payments,
    position            int NOT NULL CHECK (position > 0),
    open_item_id        uuid NOT NULL REFERENCES open_items,
    -- The supplier's number of the document.
    document_number     text,
    status              text NOT NULL CHECK (status IN ('proposed', 'left_out', 'removed', 'paid', 'dropped')),
    reason              text NOT NULL CHECK (reason IN ('due', 'discount', 'credit')),
    left_out            text,
    explanation         text NOT NULL,
    open_amount         numeric(20,4) NOT NULL,
    -- Less than all that is open was asked for.
    wanted              numeric(20,4) CHECK (wanted > 0),
    -- What it adds to the payment; negative of a credit.
    amount              numeric(20,4) NOT NULL,
    discount            numeric(20,4) NOT NULL DEFAULT 0 CHECK (discount >= 0),
    -- While it stands in a proposal that is open.
    holds               boolean NOT NULL,
    created_at          timestamptz NOT NULL,
    CONSTRAINT payment_proposal_lines_held CHECK (NOT holds OR status = 'proposed'),
    CONSTRAINT payment_proposal_lines_once UNIQUE (proposal_id, open_item_id),
    CONSTRAINT payment_proposal_lines_position_unique UNIQUE (proposal_id, position)
);
CREATE UNIQUE INDEX payment_proposal_lines_one_open ON payment_proposal_lines (open_item_id) WHERE holds;
CREATE INDEX payment_proposal_lines_by_age ON payment_proposal_lines (created_at, id);
CREATE INDEX payment_proposal_lines_by_payment ON payment_proposal_lines (proposed_payment_id);
