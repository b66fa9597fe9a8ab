-- Replicas of the ERP's currencies: what the company counts in, and what others are worth by day.

CREATE TABLE company (
    id                 uuid PRIMARY KEY,
    name               text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    base_currency      text NOT NULL CHECK (base_currency ~ '^[A-Z]{3}$'),
    -- Rates are quoted against it, and crosses of two others go through it.
    reference_currency text NOT NULL CHECK (reference_currency ~ '^[A-Z]{3}$'),
    source_version     bigint NOT NULL CHECK (source_version >= 0),
    as_of              timestamptz NOT NULL,
    revision           bigint NOT NULL CHECK (revision > 0),
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE UNIQUE INDEX company_is_one ON company ((true));
-- As the ERP begins, until it has told more.
INSERT INTO company (id, name, base_currency, reference_currency, source_version, as_of, revision, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'My company', 'USD', 'EUR', 0, now(), 1, now(), now());

-- Not unique by pair and day: two rates may swap theirs one after the other.
CREATE TABLE exchange_rates (
    id             uuid PRIMARY KEY,
    rated_on       date NOT NULL,
    -- 1 unit of `reference` = `rate` units of `currency`.
    reference      text COLLATE "C" NOT NULL CHECK (reference ~ '^[A-Z]{3}$'),
    currency       text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    rate           numeric(20,10) NOT NULL CONSTRAINT exchange_rates_rate_positive CHECK (rate > 0),
    pair           text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
        CASE WHEN reference < currency THEN reference || currency ELSE currency || reference END) STORED,
    source_version bigint NOT NULL CHECK (source_version >= 0),
    as_of          timestamptz NOT NULL,
    revision       bigint NOT NULL CHECK (revision > 0),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT exchange_rates_two_currencies CHECK (reference <> currency)
);
CREATE INDEX exchange_rates_by_pair ON exchange_rates (pair, rated_on DESC);
CREATE INDEX exchange_rates_by_date ON exchange_rates (rated_on, id);
CREATE INDEX exchange_rates_by_age ON exchange_rates (created_at, id);
