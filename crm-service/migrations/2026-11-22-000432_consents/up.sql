-- What customers and their contacts allow us to write to them: every word of it, never overwritten. What
-- holds is derived from the latest.

CREATE TABLE consents (
    id            uuid PRIMARY KEY,
    customer_id   uuid NOT NULL REFERENCES customers (id),
    -- A contact may be removed; what it said stays, with its name.
    contact_id    uuid,
    contact_name  text CHECK (length(contact_name) BETWEEN 1 AND 200),
    channel       text NOT NULL CHECK (channel IN ('email', 'sms', 'phone', 'post')),
    state         text NOT NULL CHECK (state IN ('granted', 'withdrawn')),
    legal_basis   text NOT NULL CHECK (legal_basis IN ('consent', 'contract', 'legitimate_interest', 'legal_obligation')),
    source        text NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    note          text CHECK (length(note) BETWEEN 1 AND 1000),
    decided_at    timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL,
    recorded_by   uuid NOT NULL,
    recorder_name text NOT NULL,
    CONSTRAINT consents_contact_has_a_name CHECK ((contact_id IS NULL) = (contact_name IS NULL)),
    CONSTRAINT consents_not_decided_later CHECK (decided_at <= recorded_at)
);
CREATE INDEX consents_latest ON consents (customer_id, channel, contact_id, decided_at DESC, recorded_at DESC, id DESC);
CREATE INDEX consents_by_age ON consents (customer_id, decided_at, id);

-- Append-only. A merge of customers takes the history along, and that is all that may happen to it.
CREATE FUNCTION keep_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (to_jsonb(NEW) - 'customer_id') = (to_jsonb(OLD) - 'customer_id') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'consents is append-only' USING ERRCODE = '23514', CONSTRAINT = 'consents_append_only';
END $$;
CREATE TRIGGER consents_append_only BEFORE UPDATE OR DELETE ON consents FOR EACH ROW EXECUTE FUNCTION keep_consent();
CREATE TRIGGER consents_not_emptied BEFORE TRUNCATE ON consents FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
