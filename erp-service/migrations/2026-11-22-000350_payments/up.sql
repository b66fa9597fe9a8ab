-- Bank accounts, payments, settlement of open items.

ALTER TABLE company
    -- Whether a cash discount takes its share of the document's tax with it.
    ADD COLUMN discount_tax text NOT NULL DEFAULT 'adjust' CHECK (discount_tax IN ('adjust', 'keep')),
    -- Whether the tax of what is written off as a bad debt is claimed back: the country says so.
    ADD COLUMN bad_debt_tax text NOT NULL DEFAULT 'keep' CHECK (bad_debt_tax IN ('adjust', 'keep')),
    -- Largest difference of one item that may be written off with a payment, in the base currency.
    ADD COLUMN write_off_limit numeric(20,4) NOT NULL DEFAULT 5
        CONSTRAINT company_write_off_limit_not_negative CHECK (write_off_limit >= 0);

CREATE TABLE bank_accounts (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    iban           text CONSTRAINT bank_accounts_iban_unique UNIQUE CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$'),
    -- Where a bank has no IBANs.
    account_number text CHECK (length(account_number) BETWEEN 1 AND 34),
    bic            text CHECK (bic ~ '^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$'),
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    account_id     uuid NOT NULL CONSTRAINT bank_accounts_account_id_fkey REFERENCES accounts,
    is_default     boolean NOT NULL DEFAULT false,
    status         text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    revision       bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bank_accounts_default_active CHECK (NOT is_default OR status = 'active')
);
CREATE UNIQUE INDEX bank_accounts_one_default ON bank_accounts (currency) WHERE is_default;
CREATE INDEX bank_accounts_by_age ON bank_accounts (created_at, id);
CREATE INDEX bank_accounts_by_name ON bank_accounts (name, id);
CREATE TRIGGER bank_accounts_stay BEFORE DELETE OR TRUNCATE ON bank_accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
INSERT INTO bank_accounts (id, name, currency, account_id, is_default)
SELECT '00000000-0000-7000-8000-000000000010', 'Bank', (SELECT base_currency FROM company), id, true FROM accounts WHERE code = '1020';

-- The base currency may change until there are customers; the bank account that came with the installation goes along.
CREATE FUNCTION follow_base_currency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE bank_accounts b
    SET currency = NEW.base_currency, revision = revision + 1, updated_at = now(),
        is_default = is_default AND NOT EXISTS (SELECT FROM bank_accounts o WHERE o.currency = NEW.base_currency AND o.is_default)
    WHERE id = '00000000-0000-7000-8000-000000000010' AND currency = OLD.base_currency;
    RETURN NULL;
END $$;
CREATE TRIGGER company_base_currency_followed AFTER UPDATE OF base_currency ON company
    FOR EACH ROW WHEN (OLD.base_currency <> NEW.base_currency) EXECUTE FUNCTION follow_base_currency();

-- Open invoices, bills and credits of the time before, each against opening equity.
CREATE TABLE opening_items (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('invoice', 'credit_note', 'bill', 'supplier_credit_note')),
    party_id        uuid NOT NULL,
    document_number text NOT NULL CHECK (length(document_number) BETWEEN 1 AND 60),
    document_date   date NOT NULL,
    posted_on       date NOT NULL,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- What is still open of it, and its value in the base currency.
    amount          numeric(20,4) NOT NULL CHECK (amount > 0),
    base_amount     numeric(20,4) NOT NULL CHECK (base_amount >= 0),
    open_item_id    uuid NOT NULL REFERENCES open_items,
    entry_id        uuid NOT NULL REFERENCES journal_entries DEFERRABLE INITIALLY DEFERRED,
    external_ref    text CONSTRAINT opening_items_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    revision        bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    CONSTRAINT opening_items_document_unique UNIQUE (party_id, kind, document_number)
);
CREATE INDEX opening_items_by_age ON opening_items (created_at, id);
CREATE INDEX opening_items_by_date ON opening_items (posted_on, id);

CREATE TABLE payments (
    id                 uuid PRIMARY KEY,
    number             text CONSTRAINT payments_number_unique UNIQUE,
    status             text NOT NULL DEFAULT 'posted' CHECK (status IN ('posted', 'reversed')),
    direction          text NOT NULL CHECK (direction IN ('in', 'out')),
    party_type         text CHECK (party_type IN ('customer', 'supplier')),
    party_id           uuid,
    bank_account_id    uuid NOT NULL CONSTRAINT payments_bank_account_id_fkey REFERENCES bank_accounts,
    -- In the bank account's currency: what the party paid or got. Charges of the bank come on top of what goes
    -- out, and off what comes in.
    currency           text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount             numeric(20,4) NOT NULL CHECK (amount > 0),
    bank_charges       numeric(20,4) NOT NULL DEFAULT 0 CHECK (bank_charges >= 0),
    -- Both in the base currency.
    base_amount        numeric(20,4) NOT NULL CHECK (base_amount >= 0),
    bank_charges_base  numeric(20,4) NOT NULL DEFAULT 0 CHECK (bank_charges_base >= 0),
    posted_on          date NOT NULL,
    reference          text CHECK (length(reference) BETWEEN 1 AND 500),
    method             text NOT NULL,
    cash_flow_category text CHECK (cash_flow_category IN ('operating', 'investing', 'financing')),
    -- Where no party is behind it: the accounts that it is for.
    postings           jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(postings) = 'array'),
    external_ref       text CONSTRAINT payments_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    entry_id           uuid NOT NULL CONSTRAINT payments_entry_id_fkey REFERENCES journal_entries DEFERRABLE INITIALLY DEFERRED,
    reversed_on        date,
    reversal_reason    text CHECK (length(reversal_reason) BETWEEN 1 AND 500),
    reversal_entry_id  uuid CONSTRAINT payments_reversal_entry_id_fkey REFERENCES journal_entries DEFERRABLE INITIALLY DEFERRED,
    version            bigint NOT NULL DEFAULT 1,
    revision           bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CONSTRAINT payments_party_whole CHECK ((party_type IS NULL) = (party_id IS NULL)),
    CONSTRAINT payments_reversed_whole CHECK ((status = 'reversed') = (reversed_on IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX payments_by_age ON payments (created_at, id);
CREATE INDEX payments_by_date ON payments (posted_on, id);
CREATE INDEX payments_by_party ON payments (party_id, posted_on, id) WHERE party_id IS NOT NULL;
CREATE INDEX payments_by_bank_account ON payments (bank_account_id, posted_on, id);
CREATE TRIGGER payments_stay BEFORE DELETE OR TRUNCATE ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Items cleared without money: one against others, or written off.
CREATE TABLE clearings (
    id                uuid PRIMARY KEY,
    kind              text NOT NULL CHECK (kind IN ('items', 'difference', 'bad_debt')),
    status            text NOT NULL DEFAULT 'posted' CHECK (status IN ('posted', 'reversed')),
    -- The item that pays for the others, or that is written off.
    open_item_id      uuid NOT NULL REFERENCES open_items,
    party_id          uuid NOT NULL,
    posted_on         date NOT NULL,
    currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount            numeric(20,4) NOT NULL CHECK (amount > 0),
    reason            text CHECK (length(reason) BETWEEN 1 AND 500),
    entry_id          uuid NOT NULL REFERENCES journal_entries DEFERRABLE INITIALLY DEFERRED,
    reversed_on       date,
    reversal_reason   text CHECK (length(reversal_reason) BETWEEN 1 AND 500),
    reversal_entry_id uuid REFERENCES journal_entries DEFERRABLE INITIALLY DEFERRED,
    revision          bigint NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT clearings_reversed_whole CHECK ((status = 'reversed') = (reversed_on IS NOT NULL))
);
CREATE INDEX clearings_by_age ON clearings (created_at, id);
CREATE INDEX clearings_by_date ON clearings (posted_on, id);
CREATE INDEX clearings_by_party ON clearings (party_id, posted_on, id);
CREATE INDEX clearings_by_item ON clearings (open_item_id);

-- How an item was cleared, with all that is needed to undo just this.
CREATE TABLE settlements (
    allocation_id        uuid PRIMARY KEY REFERENCES allocations,
    document_type        text NOT NULL CHECK (document_type IN ('payment', 'clearing')),
    document_id          uuid NOT NULL,
    item_id              uuid NOT NULL REFERENCES open_items,
    -- What paid for it: an item (money on account, a credit note), or at once the money of the payment.
    source_item_id       uuid REFERENCES open_items,
    source_allocation_id uuid REFERENCES allocations,
    paid_currency        text NOT NULL CHECK (paid_currency ~ '^[A-Z]{3}$'),
    paid_amount          numeric(20,4) NOT NULL CHECK (paid_amount >= 0),
    paid_base            numeric(20,4) NOT NULL CHECK (paid_base >= 0),
    -- Lines beside those of the items: discount, tax, difference written off, exchange difference.
    parts                jsonb NOT NULL CHECK (jsonb_typeof(parts) = 'array'),
    undone_on            date,
    undone_entry_id      uuid REFERENCES journal_entries DEFERRABLE INITIALLY DEFERRED,
    created_at           timestamptz NOT NULL,
    CONSTRAINT settlements_undone_whole CHECK ((undone_on IS NULL) = (undone_entry_id IS NULL))
);
CREATE INDEX settlements_by_document ON settlements (document_id);
CREATE INDEX settlements_by_item ON settlements (item_id);

-- What the bank says happened.
ALTER TABLE bank_accounts ADD COLUMN csv_format jsonb CHECK (jsonb_typeof(csv_format) = 'object');
CREATE TABLE bank_statements (
    id              uuid PRIMARY KEY,
    bank_account_id uuid NOT NULL REFERENCES bank_accounts,
    identification  text NOT NULL CHECK (length(identification) BETWEEN 1 AND 100),
    format          text NOT NULL CHECK (format IN ('camt.053', 'csv')),
    from_date       date,
    to_date         date,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    opening_balance numeric(20,4),
    closing_balance numeric(20,4),
    line_count      int NOT NULL CHECK (line_count >= 0),
    revision        bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    CONSTRAINT bank_statements_known UNIQUE (bank_account_id, identification)
);
CREATE INDEX bank_statements_by_age ON bank_statements (created_at, id);

CREATE TABLE bank_statement_lines (
    id                uuid PRIMARY KEY,
    statement_id      uuid NOT NULL REFERENCES bank_statements,
    bank_account_id   uuid NOT NULL REFERENCES bank_accounts,
    position          int NOT NULL,
    -- The bank's reference, or a hash: a line comes in once.
    fingerprint       text NOT NULL CHECK (length(fingerprint) BETWEEN 1 AND 250),
    booked_on         date NOT NULL,
    value_on          date,
    currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- Money in is positive.
    amount            numeric(20,4) NOT NULL CHECK (amount <> 0),
    counterparty_name text,
    counterparty_iban text,
    reference         text,
    end_to_end_id     text,
    bank_reference    text,
    transaction_code  text,
    status            text NOT NULL DEFAULT 'unmatched' CHECK (status IN ('unmatched', 'matched', 'booked')),
    payment_id        uuid REFERENCES payments,
    revision          bigint NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT bank_statement_lines_known UNIQUE (bank_account_id, fingerprint),
    CONSTRAINT bank_statement_lines_one_payment UNIQUE (payment_id),
    CONSTRAINT bank_statement_lines_matched CHECK ((status = 'unmatched') = (payment_id IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX bank_statement_lines_by_statement ON bank_statement_lines (statement_id, position);
CREATE INDEX bank_statement_lines_by_date ON bank_statement_lines (booked_on, id);
CREATE INDEX bank_statement_lines_unmatched ON bank_statement_lines (booked_on) WHERE status = 'unmatched';

-- Which account charges, interest and the like are for.
CREATE TABLE bank_posting_rules (
    id                 uuid PRIMARY KEY,
    name               text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    bank_account_id    uuid REFERENCES bank_accounts,
    direction          text CHECK (direction IN ('in', 'out')),
    -- Found in reference, counterparty or transaction code.
    contains           text NOT NULL CHECK (length(contains) BETWEEN 2 AND 100),
    account_id         uuid NOT NULL REFERENCES accounts,
    cash_flow_category text CHECK (cash_flow_category IN ('operating', 'investing', 'financing')),
    status             text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    revision           bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE INDEX bank_posting_rules_by_age ON bank_posting_rules (created_at, id);
