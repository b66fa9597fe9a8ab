-- Dunning: levels as data, exemptions, runs with their letters.
CREATE TABLE dunning_levels (
    id             uuid PRIMARY KEY,
    level          smallint NOT NULL CONSTRAINT dunning_levels_level_unique UNIQUE CHECK (level BETWEEN 1 AND 9),
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- An item gets there when it is overdue by so many days.
    days_overdue   int NOT NULL CHECK (days_overdue BETWEEN 1 AND 3650),
    -- After a letter of this level, before the next one; also what the letter gives to pay.
    waiting_days   int NOT NULL CHECK (waiting_days BETWEEN 0 AND 3650),
    -- Both in the base currency.
    minimum_amount numeric(20,4) NOT NULL DEFAULT 0 CHECK (minimum_amount >= 0),
    fee            numeric(20,4) NOT NULL DEFAULT 0 CHECK (fee >= 0),
    -- Who gets such a letter goes on credit hold: no new orders, no deliveries.
    credit_hold    boolean NOT NULL DEFAULT false,
    -- [{language, subject, body}]
    texts          jsonb NOT NULL CHECK (jsonb_typeof(texts) = 'array' AND jsonb_array_length(texts) > 0),
    revision       bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
INSERT INTO dunning_levels (id, level, name, days_overdue, waiting_days, credit_hold, texts) VALUES
    ('00000000-0000-7000-8000-000000000201', 1, 'Payment reminder', 7, 14, false, $texts$[{"language": "en", "subject": "Payment reminder", "body": "Dear customer,\n\nperhaps it escaped your notice: the items below are past due. They come to {total} {currency}. Please pay by {pay_by}. If you have paid already, take this letter as done.\n\nIf you do not agree with an item, tell us."}, {"language": "de", "subject": "Zahlungserinnerung", "body": "Sehr geehrte Damen und Herren,\n\nvielleicht ist es Ihnen entgangen: Die unten genannten Posten sind fällig. Zusammen sind es {total} {currency}. Bitte zahlen Sie bis zum {pay_by}. Haben Sie schon gezahlt, ist dieses Schreiben gegenstandslos.\n\nSind Sie mit einem Posten nicht einverstanden, sagen Sie es uns."}]$texts$),
    ('00000000-0000-7000-8000-000000000202', 2, 'Second reminder', 21, 14, false, $texts$[{"language": "en", "subject": "Second reminder", "body": "Dear customer,\n\nin spite of our reminder the items below are still open. Please pay {total} {currency} by {pay_by}."}, {"language": "de", "subject": "Zweite Mahnung", "body": "Sehr geehrte Damen und Herren,\n\ntrotz unserer Erinnerung sind die unten genannten Posten noch offen. Bitte zahlen Sie {total} {currency} bis zum {pay_by}."}]$texts$),
    ('00000000-0000-7000-8000-000000000203', 3, 'Final notice', 35, 14, true, $texts$[{"language": "en", "subject": "Final notice", "body": "Dear customer,\n\nthe items below are still open. This is our last letter before we hand them over for collection: pay {total} {currency} by {pay_by}. Until then we make no further deliveries."}, {"language": "de", "subject": "Letzte Mahnung", "body": "Sehr geehrte Damen und Herren,\n\ndie unten genannten Posten sind immer noch offen. Dies ist unser letztes Schreiben, bevor wir sie zur Einziehung geben: Zahlen Sie {total} {currency} bis zum {pay_by}. Bis dahin liefern wir nicht mehr."}]$texts$);

-- What differs for a customer.
CREATE TABLE dunning_settings (
    customer_id   uuid PRIMARY KEY REFERENCES customers,
    language      text CHECK (language ~ '^[a-z]{2}$'),
    -- No letters up to and including this day.
    exempt_until  date,
    exempt_reason text CHECK (length(exempt_reason) BETWEEN 1 AND 500),
    revision      bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT dunning_settings_exempt_whole CHECK ((exempt_until IS NULL) = (exempt_reason IS NULL))
);
CREATE INDEX dunning_settings_by_age ON dunning_settings (created_at, customer_id);

CREATE TABLE dunning_runs (
    id            uuid PRIMARY KEY,
    status        text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'issued', 'discarded')),
    date          date NOT NULL,
    -- Empty: all customers.
    customer_ids  jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(customer_ids) = 'array'),
    currency      text CHECK (currency ~ '^[A-Z]{3}$'),
    maximum_level smallint CHECK (maximum_level BETWEEN 1 AND 9),
    -- Of customers that have none of their own.
    language      text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    reason        text CHECK (length(reason) BETWEEN 1 AND 500),
    issued_at     timestamptz,
    version       bigint NOT NULL DEFAULT 1,
    revision      bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT dunning_runs_issued_whole CHECK ((status = 'issued') = (issued_at IS NOT NULL))
);
CREATE INDEX dunning_runs_by_age ON dunning_runs (created_at, id);
CREATE INDEX dunning_runs_by_date ON dunning_runs (date, id);
CREATE TRIGGER dunning_runs_stay BEFORE DELETE OR TRUNCATE ON dunning_runs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One for each customer and currency of a run.
CREATE TABLE dunning_letters (
    id          uuid PRIMARY KEY,
    run_id      uuid NOT NULL REFERENCES dunning_runs,
    number      text CONSTRAINT dunning_letters_number_unique UNIQUE,
    -- Dropped: nothing of it was left to remind of when the run was issued.
    status      text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'removed', 'dropped', 'issued')),
    customer_id uuid NOT NULL REFERENCES customers,
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    date        date NOT NULL,
    pay_by      date NOT NULL,
    level       smallint NOT NULL,
    language    text NOT NULL,
    party       jsonb NOT NULL,
    -- What is open of its items, what is unallocated of the customer's credits, and the fee.
    open_amount numeric(20,4) NOT NULL,
    credits     numeric(20,4) NOT NULL CHECK (credits >= 0),
    fee         numeric(20,4) NOT NULL CHECK (fee >= 0),
    credit_hold boolean NOT NULL,
    subject     text NOT NULL,
    body        text NOT NULL,
    reason      text CHECK (length(reason) BETWEEN 1 AND 500),
    issued_at   timestamptz,
    version     bigint NOT NULL DEFAULT 1,
    revision    bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT dunning_letters_one_each UNIQUE (run_id, customer_id, currency),
    CONSTRAINT dunning_letters_issued_whole CHECK ((status = 'issued') = (issued_at IS NOT NULL) AND (issued_at IS NULL) = (number IS NULL))
);
CREATE INDEX dunning_letters_by_age ON dunning_letters (created_at, id);
CREATE INDEX dunning_letters_by_date ON dunning_letters (date, id);
CREATE INDEX dunning_letters_by_customer ON dunning_letters (customer_id, created_at, id);
CREATE TABLE dunning_letter_items (
    letter_id       uuid NOT NULL REFERENCES dunning_letters,
    position        int NOT NULL CHECK (position > 0),
    open_item_id    uuid NOT NULL REFERENCES open_items,
    document_type   text NOT NULL,
    document_id     uuid NOT NULL,
    document_number text,
    instalment      smallint NOT NULL,
    posted_on       date NOT NULL,
    due_on          date NOT NULL,
    amount          numeric(20,4) NOT NULL,
    open_amount     numeric(20,4) NOT NULL,
    days_overdue    int NOT NULL,
    level_before    smallint NOT NULL,
    level           smallint NOT NULL,
    -- Why it is not in the letter that was issued.
    dropped         text CHECK (dropped IN ('paid', 'disputed', 'exempt', 'reminded')),
    PRIMARY KEY (letter_id, position)
);
CREATE INDEX dunning_letter_items_by_item ON dunning_letter_items (open_item_id);

-- What was sent stays as it was sent.
CREATE FUNCTION refuse_issued_letter_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status <> 'draft' THEN
        RAISE EXCEPTION 'a letter that is no draft stays' USING ERRCODE = '23514', CONSTRAINT = 'dunning_letters_issued_immutable';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER dunning_letters_issued_immutable BEFORE UPDATE OR DELETE ON dunning_letters
    FOR EACH ROW EXECUTE FUNCTION refuse_issued_letter_change();
