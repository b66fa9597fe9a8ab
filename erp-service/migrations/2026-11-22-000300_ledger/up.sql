-- The general ledger: accounts, fiscal years, journals, entries, open items.

ALTER TABLE company ADD COLUMN fiscal_year_start_month smallint NOT NULL DEFAULT 1
    CONSTRAINT company_fiscal_year_start_month CHECK (fiscal_year_start_month BETWEEN 1 AND 12);

CREATE TABLE accounts (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code               text NOT NULL CONSTRAINT accounts_code_unique UNIQUE CHECK (length(code) BETWEEN 1 AND 20),
    name               text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind               text NOT NULL CHECK (kind IN ('asset', 'liability', 'equity', 'income', 'expense')),
    parent_id          uuid CONSTRAINT accounts_parent_id_fkey REFERENCES accounts,
    -- A heading sums its children; nothing is posted to it.
    heading            boolean NOT NULL DEFAULT false,
    -- A control account is the sum of a subledger: its lines come from documents.
    control            text CHECK (control IN ('receivable', 'payable', 'advances_received', 'advances_paid', 'stock')),
    -- Set for a bank account in a foreign currency: its lines are in it.
    currency           text CHECK (currency ~ '^[A-Z]{3}$'),
    -- Cash and bank; the cash flow report follows their lines.
    liquid             boolean NOT NULL DEFAULT false,
    cash_flow_category text CHECK (cash_flow_category IN ('operating', 'investing', 'financing')),
    status             text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    version            bigint NOT NULL DEFAULT 1,
    revision           bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT accounts_heading_plain CHECK (NOT heading OR (control IS NULL AND currency IS NULL AND NOT liquid))
);
CREATE INDEX accounts_by_age ON accounts (created_at, id);
CREATE INDEX accounts_by_parent ON accounts (parent_id, code);
CREATE TRIGGER accounts_stay BEFORE DELETE OR TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- What is posted to an account says what it is.
CREATE FUNCTION refuse_account_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM journal_entry_lines WHERE account_id = OLD.id) THEN
        RAISE EXCEPTION 'account % has entries', OLD.code USING ERRCODE = '23514', CONSTRAINT = 'accounts_in_use';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER accounts_in_use BEFORE UPDATE ON accounts
    FOR EACH ROW WHEN ((OLD.kind, OLD.heading, OLD.control, OLD.currency) IS DISTINCT FROM (NEW.kind, NEW.heading, NEW.control, NEW.currency))
    EXECUTE FUNCTION refuse_account_turn();

INSERT INTO accounts (code, name, kind, parent_id, heading, control, liquid, cash_flow_category)
SELECT code, name, kind, NULL, heading, control, liquid, category FROM (VALUES
    ('1000', 'Assets', 'asset', true, NULL, false, NULL),
    ('1010', 'Cash', 'asset', false, NULL, true, NULL),
    ('1020', 'Bank', 'asset', false, NULL, true, NULL),
    ('1100', 'Accounts receivable', 'asset', false, 'receivable', false, 'operating'),
    ('1150', 'Advances to suppliers', 'asset', false, 'advances_paid', false, 'operating'),
    ('1200', 'Input tax', 'asset', false, NULL, false, 'operating'),
    ('1300', 'Stock', 'asset', false, 'stock', false, 'operating'),
    ('1310', 'Goods in transit', 'asset', false, 'stock', false, 'operating'),
    ('1500', 'Fixed assets', 'asset', false, NULL, false, 'investing'),
    ('1510', 'Accumulated depreciation', 'asset', false, NULL, false, 'investing'),
    ('2000', 'Liabilities', 'liability', true, NULL, false, NULL),
    ('2010', 'Accounts payable', 'liability', false, 'payable', false, 'operating'),
    ('2050', 'Goods received, not invoiced', 'liability', false, NULL, false, 'operating'),
    ('2100', 'Output tax', 'liability', false, NULL, false, 'operating'),
    ('2150', 'Advances from customers', 'liability', false, 'advances_received', false, 'operating'),
    ('2200', 'Wages payable', 'liability', false, NULL, false, 'operating'),
    ('2300', 'Loans', 'liability', false, NULL, false, 'financing'),
    ('3000', 'Equity', 'equity', true, NULL, false, NULL),
    ('3010', 'Share capital', 'equity', false, NULL, false, 'financing'),
    ('3020', 'Opening equity', 'equity', false, NULL, false, 'financing'),
    ('3100', 'Retained earnings', 'equity', false, NULL, false, 'financing'),
    ('4000', 'Income', 'income', true, NULL, false, NULL),
    ('4010', 'Sales revenue', 'income', false, NULL, false, 'operating'),
    ('4020', 'Freight charged', 'income', false, NULL, false, 'operating'),
    ('4030', 'Other charges', 'income', false, NULL, false, 'operating'),
    ('4100', 'Cash discounts received', 'income', false, NULL, false, 'operating'),
    ('4200', 'Exchange gains', 'income', false, NULL, false, 'operating'),
    ('4210', 'Unrealised exchange gains', 'income', false, NULL, false, 'operating'),
    ('4900', 'Other income', 'income', false, NULL, false, 'operating'),
    ('5000', 'Cost of sales', 'expense', true, NULL, false, NULL),
    ('5010', 'Cost of goods sold', 'expense', false, NULL, false, 'operating'),
    ('5020', 'Purchase price variance', 'expense', false, NULL, false, 'operating'),
    ('5030', 'Stock adjustments', 'expense', false, NULL, false, 'operating'),
    ('5040', 'Scrap', 'expense', false, NULL, false, 'operating'),
    ('6000', 'Expenses', 'expense', true, NULL, false, NULL),
    ('6010', 'Rent', 'expense', false, NULL, false, 'operating'),
    ('6020', 'Wages', 'expense', false, NULL, false, 'operating'),
    ('6030', 'General expenses', 'expense', false, NULL, false, 'operating'),
    ('6040', 'Bank charges', 'expense', false, NULL, false, 'operating'),
    ('6050', 'Depreciation', 'expense', false, NULL, false, 'operating'),
    ('6100', 'Cash discounts given', 'expense', false, NULL, false, 'operating'),
    ('6200', 'Bad debts', 'expense', false, NULL, false, 'operating'),
    ('6210', 'Small differences', 'expense', false, NULL, false, 'operating'),
    ('6300', 'Exchange losses', 'expense', false, NULL, false, 'operating'),
    ('6310', 'Unrealised exchange losses', 'expense', false, NULL, false, 'operating')
) AS chart (code, name, kind, heading, control, liquid, category);
UPDATE accounts a SET parent_id = h.id
FROM accounts h WHERE h.heading AND NOT a.heading AND left(h.code, 1) = left(a.code, 1) AND h.code = left(a.code, 1) || '000';

-- Fiscal years and their periods. A year that nobody has made is made by the first posting into it.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE fiscal_years (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Part of document numbers: 2026, or 2026-27 where it does not begin in January.
    name       text NOT NULL CONSTRAINT fiscal_years_name_unique UNIQUE CHECK (length(name) BETWEEN 1 AND 20),
    starts_on  date NOT NULL,
    ends_on    date NOT NULL,
    status     text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT fiscal_years_in_order CHECK (starts_on < ends_on),
    CONSTRAINT fiscal_years_no_overlap EXCLUDE USING gist (daterange(starts_on, ends_on, '[]') WITH &&)
);
CREATE TABLE periods (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    fiscal_year_id uuid NOT NULL REFERENCES fiscal_years,
    starts_on      date NOT NULL CONSTRAINT periods_start_unique UNIQUE,
    ends_on        date NOT NULL,
    -- Closing: adjusting entries (general journal) only.
    status         text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closing', 'closed')),
    revision       bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT periods_in_order CHECK (starts_on <= ends_on),
    CONSTRAINT periods_no_overlap EXCLUDE USING gist (daterange(starts_on, ends_on, '[]') WITH &&)
);
CREATE INDEX periods_by_year ON periods (fiscal_year_id, starts_on);

-- Makes the fiscal year of a day with its months, unless it exists.
CREATE FUNCTION make_fiscal_year(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month int := (SELECT fiscal_year_start_month FROM company);
    first date := make_date(extract(year FROM day)::int, month, 1);
    made uuid;
BEGIN
    IF first > day THEN
        first := (first - interval '1 year')::date;
    END IF;
    INSERT INTO fiscal_years (name, starts_on, ends_on)
    SELECT CASE WHEN month = 1 THEN to_char(first, 'YYYY')
                ELSE to_char(first, 'YYYY') || '-' || to_char(first + interval '1 year', 'YY') END,
           -- Years made by hand may end elsewhere: fill the gap only.
           greatest(first, (SELECT max(ends_on) + 1 FROM fiscal_years WHERE ends_on < day)),
           least((first + interval '1 year' - interval '1 day')::date, (SELECT min(starts_on) - 1 FROM fiscal_years WHERE starts_on > day))
    WHERE NOT EXISTS (SELECT FROM fiscal_years WHERE day BETWEEN starts_on AND ends_on)
    ON CONFLICT DO NOTHING
    RETURNING id INTO made;
    INSERT INTO periods (fiscal_year_id, starts_on, ends_on)
    SELECT y.id, greatest(m::date, y.starts_on), least((m + interval '1 month' - interval '1 day')::date, y.ends_on)
    FROM fiscal_years y, generate_series(date_trunc('month', y.starts_on), y.ends_on, interval '1 month') m
    WHERE y.id = made;
END $$;

-- Numbers without gaps, per series and fiscal year; drawn last in the transaction that posts.
CREATE TABLE series (
    key       text PRIMARY KEY,
    prefix    text NOT NULL CHECK (length(prefix) BETWEEN 1 AND 20),
    -- Whether a document may not be dated before the last one.
    ascending boolean NOT NULL DEFAULT false
);
CREATE TABLE series_numbers (
    series         text NOT NULL REFERENCES series,
    fiscal_year_id uuid NOT NULL REFERENCES fiscal_years,
    -- 0 where none was drawn yet: whoever closes a period holds all series, drawn or not.
    last_number    bigint NOT NULL CHECK (last_number >= 0),
    last_date      date NOT NULL,
    PRIMARY KEY (series, fiscal_year_id)
) WITH (fillfactor = 50);

CREATE TABLE journals (
    code      text PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    name      text NOT NULL,
    -- Its entries may be posted while a period is closing.
    adjusting boolean NOT NULL DEFAULT false
);
INSERT INTO journals (code, name, adjusting) VALUES
    ('SAL', 'Sales', false), ('PUR', 'Purchases', false), ('BNK', 'Bank and cash', false), ('STK', 'Stock', false),
    ('GEN', 'General', true), ('CLS', 'Closing', true);
INSERT INTO series (key, prefix) SELECT 'journal:' || code, code FROM journals;
INSERT INTO series (key, prefix, ascending) VALUES
    ('invoice', 'INV', true), ('credit_note', 'CN', true), ('payment', 'PAY', false), ('bill', 'BILL', false),
    ('supplier_credit_note', 'SCN', false), ('prepayment', 'PRE', false), ('transfer', 'TR', false), ('count', 'CNT', false),
    ('scrap', 'SCR', false), ('return', 'RET', false), ('receipt', 'REC', false), ('supplier_return', 'SRT', false),
    ('purchase_order', 'PO', false), ('requisition', 'REQ', false), ('request_for_quotation', 'RFQ', false),
    ('revaluation', 'REV', false), ('reminder', 'DUN', false), ('adjustment', 'ADJ', false);

-- Departments and projects, on entry lines.
CREATE TABLE dimensions (
    id         uuid PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('department', 'project')),
    code       text NOT NULL CHECK (length(code) BETWEEN 1 AND 40),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    status     text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT dimensions_code_unique UNIQUE (kind, code)
);

-- Which account a document posts to: the most specific rule of a role answers.
CREATE TABLE posting_rules (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role         text NOT NULL,
    category_id  uuid CONSTRAINT posting_rules_category_id_fkey REFERENCES categories,
    warehouse_id uuid CONSTRAINT posting_rules_warehouse_id_fkey REFERENCES warehouses,
    tax_code     text CHECK (length(tax_code) BETWEEN 1 AND 40),
    account_id   uuid NOT NULL CONSTRAINT posting_rules_account_id_fkey REFERENCES accounts,
    revision     bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT posting_rules_one_answer UNIQUE NULLS NOT DISTINCT (role, category_id, warehouse_id, tax_code)
);
INSERT INTO posting_rules (role, account_id)
SELECT role, a.id FROM (VALUES
    ('receivable', '1100'), ('payable', '2010'), ('advances_received', '2150'), ('advances_paid', '1150'),
    ('bank', '1020'), ('cash', '1010'), ('stock', '1300'), ('stock_in_transit', '1310'),
    ('goods_received_not_invoiced', '2050'), ('cost_of_goods_sold', '5010'), ('revenue', '4010'),
    ('freight_revenue', '4020'), ('other_charges', '4030'), ('tax_output', '2100'), ('tax_input', '1200'),
    ('tax_advances', '2100'), ('cash_discount_given', '6100'), ('cash_discount_received', '4100'),
    ('exchange_gain', '4200'), ('exchange_loss', '6300'), ('unrealised_gain', '4210'), ('unrealised_loss', '6310'),
    ('write_off', '6210'), ('bad_debt', '6200'), ('stock_adjustment', '5030'), ('count_difference', '5030'),
    ('scrap', '5040'), ('price_variance', '5020'), ('purchase_expense', '6030'), ('opening_balance', '3020'),
    ('retained_earnings', '3100'), ('rounding', '6210'), ('bank_charges', '6040')
) AS rule (role, code) JOIN accounts a ON a.code = rule.code;

CREATE TABLE journal_entries (
    id             uuid PRIMARY KEY,
    number         text CONSTRAINT journal_entries_number_unique UNIQUE,
    journal        text NOT NULL REFERENCES journals,
    status         text NOT NULL CHECK (status IN ('draft', 'posted')),
    kind           text NOT NULL DEFAULT 'regular' CHECK (kind IN ('regular', 'opening', 'reversal', 'revaluation', 'closing')),
    posted_on      date NOT NULL,
    description    text NOT NULL CHECK (length(description) BETWEEN 1 AND 500),
    -- The document that it comes from.
    source_type    text NOT NULL,
    source_id      uuid NOT NULL,
    source_number  text,
    reversal_of    uuid CONSTRAINT journal_entries_reversed_once UNIQUE REFERENCES journal_entries,
    reversed_by    uuid UNIQUE REFERENCES journal_entries DEFERRABLE INITIALLY DEFERRED,
    -- The lines while it is a draft; posted ones are rows of their own.
    draft_lines    jsonb CHECK (jsonb_typeof(draft_lines) = 'array'),
    revision       bigint NOT NULL DEFAULT 1,
    created_by     uuid NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT journal_entries_numbered CHECK ((status = 'posted') = (number IS NOT NULL)),
    CONSTRAINT journal_entries_draft_lines CHECK ((status = 'draft') = (draft_lines IS NOT NULL))
);
CREATE INDEX journal_entries_by_source ON journal_entries (source_id);
CREATE INDEX journal_entries_by_date ON journal_entries (posted_on, id);
CREATE INDEX journal_entries_by_age ON journal_entries (created_at, id);
CREATE INDEX journal_entries_drafts ON journal_entries (posted_on) WHERE status = 'draft';

-- Of posted entries only.
CREATE TABLE journal_entry_lines (
    entry_id           uuid NOT NULL CONSTRAINT journal_entry_lines_entry_id_fkey REFERENCES journal_entries,
    position           int NOT NULL CHECK (position > 0),
    posted_on          date NOT NULL,
    account_id         uuid NOT NULL REFERENCES accounts,
    -- In the base currency.
    debit              numeric(20,4) NOT NULL CHECK (debit >= 0),
    credit             numeric(20,4) NOT NULL CHECK (credit >= 0),
    -- In the document's currency, debit positive.
    currency           text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount             numeric(20,4) NOT NULL,
    description        text,
    -- Which posting rule gave the account.
    rule               text,
    open_item_id       uuid,
    department_id      uuid REFERENCES dimensions,
    project_id         uuid REFERENCES dimensions,
    tax_code           text,
    -- What the tax was computed on, in the base currency, with the sign of the line.
    tax_base           numeric(20,4),
    cash_flow_category text CHECK (cash_flow_category IN ('operating', 'investing', 'financing')),
    -- Changes the value of its open item and not what is owed.
    revaluation        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (entry_id, position),
    CONSTRAINT journal_entry_lines_one_side CHECK (debit = 0 OR credit = 0),
    CONSTRAINT journal_entry_lines_not_empty CHECK (debit <> 0 OR credit <> 0 OR amount <> 0)
);
CREATE INDEX journal_entry_lines_by_account ON journal_entry_lines (account_id, posted_on) INCLUDE (debit, credit);
CREATE INDEX journal_entry_lines_by_date ON journal_entry_lines (posted_on, account_id) INCLUDE (debit, credit);
CREATE INDEX journal_entry_lines_by_item ON journal_entry_lines (open_item_id) WHERE open_item_id IS NOT NULL;
CREATE INDEX journal_entry_lines_by_tax ON journal_entry_lines (posted_on, tax_code) WHERE tax_code IS NOT NULL;
CREATE INDEX journal_entry_lines_by_department ON journal_entry_lines (department_id, posted_on) WHERE department_id IS NOT NULL;
CREATE INDEX journal_entry_lines_by_project ON journal_entry_lines (project_id, posted_on) WHERE project_id IS NOT NULL;
CREATE TRIGGER journal_entry_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A posted entry stays as it is; only the link to its reversal is added, once.
CREATE FUNCTION refuse_posted_entry_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status = 'posted' THEN
            RAISE EXCEPTION 'a posted entry stays' USING ERRCODE = '23514', CONSTRAINT = 'journal_entries_append_only';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.status = 'posted' AND (OLD.reversed_by IS NOT NULL OR
        to_jsonb(NEW) - '{reversed_by,revision,updated_at}'::text[] <> to_jsonb(OLD) - '{reversed_by,revision,updated_at}'::text[]) THEN
        RAISE EXCEPTION 'a posted entry is immutable' USING ERRCODE = '23514', CONSTRAINT = 'journal_entries_append_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_entries_append_only BEFORE UPDATE OR DELETE ON journal_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_posted_entry_change();
CREATE TRIGGER journal_entries_stay BEFORE TRUNCATE ON journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A posted entry has lines that balance in the base currency and, when they share one, in the document's; its lines are of
-- its day; its period is open.
CREATE FUNCTION check_posted_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sums record;
BEGIN
    SELECT count(*) AS lines, coalesce(sum(debit), 0) AS debit, coalesce(sum(credit), 0) AS credit, sum(amount) AS amount,
           count(DISTINCT currency) AS currencies, count(*) FILTER (WHERE posted_on <> NEW.posted_on) AS elsewhere
    INTO sums FROM journal_entry_lines WHERE entry_id = NEW.id;
    IF sums.lines < 2 OR sums.debit <> sums.credit OR sums.elsewhere > 0
       OR (sums.currencies = 1 AND sums.amount <> 0) THEN
        RAISE EXCEPTION 'entry % does not balance: % lines, debit %, credit %, document %', NEW.id, sums.lines, sums.debit, sums.credit, sums.amount
            USING ERRCODE = '23514', CONSTRAINT = 'journal_entries_balance';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_entries_balance AFTER INSERT OR UPDATE OF status ON journal_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'posted') EXECUTE FUNCTION check_posted_entry();

-- Whoever closes a period holds the number series of its year, and a posting draws its number before this runs: so a
-- posting that waited for the closing sees it here.
CREATE FUNCTION refuse_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state text := (SELECT status FROM periods WHERE NEW.posted_on BETWEEN starts_on AND ends_on);
BEGIN
    -- The closing entry of a year comes after its last period, and before the year itself is closed.
    IF NEW.kind = 'closing' AND NEW.journal = 'CLS'
       AND EXISTS (SELECT FROM fiscal_years WHERE NEW.posted_on BETWEEN starts_on AND ends_on AND status = 'open') THEN
        RETURN NULL;
    END IF;
    IF state IS NULL OR state = 'closed'
       OR (state = 'closing' AND NOT (SELECT adjusting FROM journals WHERE code = NEW.journal)) THEN
        RAISE EXCEPTION 'the period of % is %', NEW.posted_on, coalesce(state, 'missing')
            USING ERRCODE = '23514', CONSTRAINT = 'journal_entries_period_open';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_entries_period_open AFTER INSERT OR UPDATE OF status ON journal_entries
    FOR EACH ROW WHEN (NEW.status = 'posted') EXECUTE FUNCTION refuse_closed_period();

-- Debit and credit of each account by month, so that a report need not add up every line there ever was. A month has
-- several rows, so that postings at the same time do not wait for each other; a report sums them.
CREATE TABLE account_months (
    account_id uuid NOT NULL REFERENCES accounts,
    month      date NOT NULL CHECK (extract(day FROM month) = 1),
    stripe     smallint NOT NULL,
    debit      numeric(20,4) NOT NULL,
    credit     numeric(20,4) NOT NULL,
    PRIMARY KEY (month, account_id, stripe)
) WITH (fillfactor = 70);
CREATE TRIGGER account_months_through_entries BEFORE INSERT OR UPDATE OR DELETE ON account_months
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER account_months_stay BEFORE TRUNCATE ON account_months
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What one party owes on one document; one for each instalment. Amounts are signed: positive is owed to us on
-- the receivable side, and by us on the payable side.
CREATE TABLE open_items (
    id               uuid PRIMARY KEY,
    side             text NOT NULL CHECK (side IN ('receivable', 'payable', 'advances_received', 'advances_paid')),
    party_id         uuid NOT NULL,
    account_id       uuid NOT NULL REFERENCES accounts,
    document_type    text NOT NULL,
    document_id      uuid NOT NULL,
    document_number  text,
    instalment       smallint NOT NULL DEFAULT 1 CHECK (instalment > 0),
    -- The order that it belongs to, where it is an advance.
    order_id         uuid,
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount           numeric(20,4) NOT NULL CHECK (amount <> 0),
    posted_on        date NOT NULL,
    due_on           date NOT NULL,
    -- Paid until then, the discount (a fraction of the amount) may be taken.
    discount_until   date,
    discount         numeric(5,4) CHECK (discount BETWEEN 0 AND 1),
    -- Sums of its entry lines, kept by a trigger.
    open_amount      numeric(20,4) NOT NULL DEFAULT 0,
    open_base_amount numeric(20,4) NOT NULL DEFAULT 0,
    -- Of revaluations that are not reversed yet.
    revalued_base    numeric(20,4) NOT NULL DEFAULT 0,
    -- Not reminded of while disputed.
    disputed         boolean NOT NULL DEFAULT false,
    dunning_level    smallint NOT NULL DEFAULT 0 CHECK (dunning_level >= 0),
    dunned_on        date,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    -- Never more is allocated than is open.
    CONSTRAINT open_items_within_amount CHECK (
        (amount > 0 AND open_amount BETWEEN 0 AND amount) OR (amount < 0 AND open_amount BETWEEN amount AND 0)),
    CONSTRAINT open_items_nothing_left CHECK (open_amount <> 0 OR open_base_amount = 0),
    CONSTRAINT open_items_document UNIQUE (document_id, side, instalment)
) WITH (fillfactor = 80);
CREATE INDEX open_items_open ON open_items (party_id, due_on) INCLUDE (open_base_amount) WHERE open_amount <> 0;
CREATE INDEX open_items_open_by_due ON open_items (side, due_on, id) WHERE open_amount <> 0;
CREATE INDEX open_items_by_party ON open_items (party_id, posted_on, id);
CREATE INDEX open_items_by_order ON open_items (order_id) WHERE order_id IS NOT NULL;
CREATE TRIGGER open_items_stay BEFORE DELETE OR TRUNCATE ON open_items
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION refuse_open_amount_without_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'open amounts change through entry lines only'
        USING ERRCODE = '23514', CONSTRAINT = 'open_items_through_entries';
END $$;
CREATE TRIGGER open_items_through_entries BEFORE UPDATE ON open_items
    FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND (OLD.open_amount, OLD.open_base_amount, OLD.revalued_base, OLD.amount, OLD.currency, OLD.party_id, OLD.account_id)
        IS DISTINCT FROM (NEW.open_amount, NEW.open_base_amount, NEW.revalued_base, NEW.amount, NEW.currency, NEW.party_id, NEW.account_id))
    EXECUTE FUNCTION refuse_open_amount_without_entry();
ALTER TABLE journal_entry_lines ADD CONSTRAINT journal_entry_lines_open_item_id_fkey FOREIGN KEY (open_item_id) REFERENCES open_items;

CREATE FUNCTION apply_journal_entry_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- All lines of an entry come at once: the check of its balance runs once, when it is posted.
    IF EXISTS (SELECT FROM (SELECT entry_id, count(*) AS lines FROM new_lines GROUP BY entry_id) n
               WHERE n.lines <> (SELECT count(*) FROM journal_entry_lines l WHERE l.entry_id = n.entry_id)
                  OR NOT EXISTS (SELECT FROM journal_entries e WHERE e.id = n.entry_id AND e.status = 'posted')) THEN
        RAISE EXCEPTION 'the lines of an entry are stored with it'
            USING ERRCODE = '23514', CONSTRAINT = 'journal_entry_lines_append_only';
    END IF;
    -- Control accounts are posted to through open items, and nothing else is.
    IF EXISTS (SELECT FROM new_lines l JOIN accounts a ON a.id = l.account_id
               LEFT JOIN open_items i ON i.id = l.open_item_id
               WHERE a.heading
                  OR (a.control IN ('receivable', 'payable', 'advances_received', 'advances_paid')) <> (l.open_item_id IS NOT NULL)
                  OR (l.open_item_id IS NOT NULL AND (i.account_id <> l.account_id OR i.currency <> l.currency))
                  OR (a.currency IS NOT NULL AND a.currency <> l.currency)) THEN
        RAISE EXCEPTION 'a line does not fit its account'
            USING ERRCODE = '23514', CONSTRAINT = 'journal_entry_lines_fit_account';
    END IF;
    INSERT INTO account_months AS t (account_id, month, stripe, debit, credit)
    SELECT account_id, date_trunc('month', posted_on)::date, pg_backend_pid() % 8, sum(debit), sum(credit)
    FROM new_lines GROUP BY 1, 2 ORDER BY 2, 1
    ON CONFLICT (month, account_id, stripe) DO UPDATE
        SET debit = t.debit + excluded.debit, credit = t.credit + excluded.credit;
    IF EXISTS (SELECT FROM new_lines WHERE open_item_id IS NOT NULL) THEN
        -- A payable, and an advance received, is owed by us: its credits raise it.
        UPDATE open_items i
        SET open_amount = i.open_amount + l.amount * s.sign,
            open_base_amount = i.open_base_amount + l.base * s.sign,
            revalued_base = i.revalued_base + l.revalued * s.sign,
            updated_at = now()
        FROM (SELECT open_item_id, sum(amount) AS amount,
                     coalesce(sum(debit - credit) FILTER (WHERE NOT revaluation), 0) AS base,
                     coalesce(sum(debit - credit) FILTER (WHERE revaluation), 0) AS revalued
              FROM new_lines WHERE open_item_id IS NOT NULL GROUP BY open_item_id) l,
             LATERAL (SELECT CASE WHEN i2.side IN ('payable', 'advances_received') THEN -1 ELSE 1 END AS sign
                      FROM open_items i2 WHERE i2.id = l.open_item_id) s
        WHERE i.id = l.open_item_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER journal_entry_lines_apply AFTER INSERT ON journal_entry_lines
    REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION apply_journal_entry_lines();

-- Which document cleared how much of which item. Reversals are rows with the opposite sign.
CREATE TABLE allocations (
    id            uuid PRIMARY KEY,
    -- What clears: a payment, a credit note, a write-off …
    document_type text NOT NULL,
    document_id   uuid NOT NULL,
    item_id       uuid NOT NULL REFERENCES open_items,
    allocated_on  date NOT NULL,
    -- In the item's currency and in the base currency; what the item lost.
    amount        numeric(20,4) NOT NULL CHECK (amount <> 0),
    base_amount   numeric(20,4) NOT NULL,
    -- Of it by a cash discount and by a write-off, in the item's currency.
    discount      numeric(20,4) NOT NULL DEFAULT 0,
    written_off   numeric(20,4) NOT NULL DEFAULT 0,
    -- Realised, in the base currency; a gain is positive.
    exchange_difference numeric(20,4) NOT NULL DEFAULT 0,
    entry_id      uuid NOT NULL REFERENCES journal_entries,
    reversal_of   uuid CONSTRAINT allocations_reversed_once UNIQUE REFERENCES allocations,
    created_at    timestamptz NOT NULL
);
CREATE INDEX allocations_by_item ON allocations (item_id, allocated_on);
CREATE INDEX allocations_by_document ON allocations (document_id);
CREATE TRIGGER allocations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON allocations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
