-- Exchange rates by day, and the currency that crosses go through.

ALTER TABLE company
    ADD COLUMN reference_currency text NOT NULL DEFAULT 'EUR' CHECK (reference_currency ~ '^[A-Z]{3}$');

CREATE TABLE exchange_rates (
    id         uuid PRIMARY KEY,
    rated_on   date NOT NULL,
    -- 1 unit of `reference` = `rate` units of `currency`.
    reference  text COLLATE "C" NOT NULL CHECK (reference ~ '^[A-Z]{3}$'),
    currency   text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    rate       numeric(20,10) NOT NULL CONSTRAINT exchange_rates_rate_positive CHECK (rate > 0),
    source     text NOT NULL CHECK (source IN ('ecb', 'manual')),
    -- The two currencies in alphabetical order: a pair has one rate a day, in one of its two directions.
    pair       text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
        CASE WHEN reference < currency THEN reference || currency ELSE currency || reference END) STORED,
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT exchange_rates_two_currencies CHECK (reference <> currency),
    CONSTRAINT exchange_rates_one_a_day UNIQUE (pair, rated_on)
);
CREATE INDEX exchange_rates_by_date ON exchange_rates (rated_on, id);
CREATE INDEX exchange_rates_by_age ON exchange_rates (created_at, id);
