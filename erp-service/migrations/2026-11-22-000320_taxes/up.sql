-- Taxes: codes with their rates by date, rules that choose codes, the classes that rules go by.

ALTER TABLE company
    ADD COLUMN tax_rounding text NOT NULL DEFAULT 'document' CHECK (tax_rounding IN ('document', 'line'));
-- Absent: `standard`.
ALTER TABLE products ADD COLUMN tax_class text CHECK (length(tax_class) BETWEEN 1 AND 40);
ALTER TABLE customers ADD COLUMN tax_class text CHECK (length(tax_class) BETWEEN 1 AND 40);

-- The tax report needs the rate and the side of a tax line; lines of untaxed sales have the rate 0.
ALTER TABLE journal_entry_lines
    ADD COLUMN tax_rate numeric(8,6) CHECK (tax_rate >= 0),
    ADD COLUMN tax_kind text CHECK (tax_kind IN ('output', 'input')),
    ADD CONSTRAINT journal_entry_lines_tax CHECK (tax_code IS NOT NULL OR (tax_base IS NULL AND tax_rate IS NULL AND tax_kind IS NULL));

CREATE TABLE tax_codes (
    id                   uuid PRIMARY KEY,
    -- Entry lines and posting rules name it, so it stays.
    code                 text NOT NULL CONSTRAINT tax_codes_code_unique UNIQUE CHECK (length(code) BETWEEN 1 AND 40),
    name                 text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind                 text NOT NULL CHECK (kind IN ('output', 'input')),
    -- Where the tax return wants it.
    report_code          text CHECK (length(report_code) BETWEEN 1 AND 40),
    reverse_charge       boolean NOT NULL DEFAULT false,
    -- Of an input code with reverse charge: where the tax return wants the side that is owed.
    reverse_report_code  text CHECK (length(reverse_report_code) BETWEEN 1 AND 40),
    status               text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    revision             bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    CONSTRAINT tax_codes_reverse_report_code CHECK (reverse_report_code IS NULL OR (reverse_charge AND kind = 'input'))
);
CREATE INDEX tax_codes_by_age ON tax_codes (created_at, id);
CREATE TRIGGER tax_codes_stay BEFORE DELETE OR TRUNCATE ON tax_codes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE tax_rates (
    tax_code_id uuid NOT NULL REFERENCES tax_codes,
    rate        numeric(8,6) NOT NULL CHECK (rate >= 0),
    valid_from  date NOT NULL,
    -- Included; NULL: without end.
    valid_to    date,
    PRIMARY KEY (tax_code_id, valid_from),
    CONSTRAINT tax_rates_in_order CHECK (valid_from <= valid_to),
    CONSTRAINT tax_rates_no_overlap EXCLUDE USING gist (tax_code_id WITH =, daterange(valid_from, valid_to, '[]') WITH &&)
);

CREATE TABLE tax_rules (
    id            uuid PRIMARY KEY,
    direction     text NOT NULL CHECK (direction IN ('sale', 'purchase')),
    -- NULL: any.
    party_class   text CHECK (length(party_class) BETWEEN 1 AND 40),
    country       text CHECK (country ~ '^[A-Z]{2}$'),
    product_class text CHECK (length(product_class) BETWEEN 1 AND 40),
    valid_from    date,
    valid_to      date,
    -- Codes in their order; none: not taxed.
    codes         text[] NOT NULL CHECK (array_length(codes, 1) IS NULL OR array_length(codes, 1) <= 10),
    revision      bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT tax_rules_in_order CHECK (valid_from <= valid_to),
    -- Two rules of which neither goes first are refused.
    CONSTRAINT tax_rules_no_overlap EXCLUDE USING gist (
        direction WITH =, coalesce(party_class, '') WITH =, coalesce(country, '') WITH =, coalesce(product_class, '') WITH =,
        daterange(valid_from, valid_to, '[]') WITH &&)
);
CREATE INDEX tax_rules_by_age ON tax_rules (created_at, id);

-- Entry lines with a tax code, as the tax report counts them. Output tax counts on the credit side. Of a line that is itself
-- what it was computed on (an untaxed sale) there is no tax; a line that does not tell its side has that of its code, and
-- one that does not tell its rate the rate of its day.
CREATE VIEW tax_lines AS
SELECT l.entry_id, l.position, l.posted_on, l.tax_code, k.kind, coalesce(l.tax_rate, v.rate) AS rate,
       coalesce(l.tax_base, 0) * s.sign AS base,
       CASE WHEN l.tax_rate = 0 OR (l.tax_rate IS NULL AND abs(l.debit - l.credit) = abs(l.tax_base)) THEN 0
            ELSE (l.debit - l.credit) * s.sign END AS tax
FROM journal_entry_lines l
LEFT JOIN tax_codes c ON c.code = l.tax_code
CROSS JOIN LATERAL (SELECT coalesce(l.tax_kind, c.kind, 'output') AS kind) k
CROSS JOIN LATERAL (SELECT CASE k.kind WHEN 'output' THEN -1 ELSE 1 END AS sign) s
LEFT JOIN tax_rates v ON l.tax_rate IS NULL AND v.tax_code_id = c.id AND daterange(v.valid_from, v.valid_to, '[]') @> l.posted_on
WHERE l.tax_code IS NOT NULL;
