-- What every service has: keys, stored answers, audit trail, event feed.

CREATE TABLE api_keys (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role        text NOT NULL,
    permissions text[] NOT NULL DEFAULT '{}',
    hash        bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    revoked_at  timestamptz,
    revision    bigint NOT NULL DEFAULT 1
);

-- The first statement of a command claims its key here; a concurrent twin waits on the row.
CREATE TABLE idempotency_keys (
    api_key_id  uuid NOT NULL,
    operation   text NOT NULL,
    key         text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    body_hash   bytea NOT NULL CHECK (length(body_hash) = 32),
    status      smallint,
    location    text,
    etag        text,
    body        text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (api_key_id, operation, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;

CREATE TABLE audit_log (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at  timestamptz NOT NULL,
    actor_id     uuid NOT NULL,
    actor        text NOT NULL,
    request_id   text NOT NULL,
    operation    text NOT NULL,
    subject_type text NOT NULL,
    subject      uuid NOT NULL,
    revision     bigint NOT NULL,
    changes      json NOT NULL
    -- Written on every command and hardly ever read: rows stay whole, uncompressed, up to a page.
) WITH (toast_tuple_target = 8160);
CREATE INDEX audit_log_by_subject ON audit_log (subject, id);
-- Rows arrive in the order of time, so a few pages of this find a day among years.
CREATE INDEX audit_log_by_time ON audit_log USING brin (occurred_at);
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One row: which feed this is, which database it was made for, and up to where old events are gone.
CREATE TABLE feed (
    singleton            boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    feed_id              uuid NOT NULL,
    bound_to             text NOT NULL,
    dropped_transaction  xid8 NOT NULL DEFAULT '0',
    dropped_position     bigint NOT NULL DEFAULT 0
);

CREATE SEQUENCE events_position;
CREATE TABLE events (
    position        bigint NOT NULL DEFAULT nextval('events_position'),
    transaction_id  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id              uuid NOT NULL,
    type            text NOT NULL,
    subject         uuid NOT NULL,
    subject_version bigint NOT NULL,
    occurred_at     timestamptz NOT NULL,
    data            json NOT NULL
) PARTITION BY RANGE (occurred_at);
CREATE INDEX events_in_feed_order ON events (transaction_id, position);
-- Catches what no month partition takes (a clock far off); the maintenance task makes the months.
CREATE TABLE events_other PARTITION OF events DEFAULT WITH (toast_tuple_target = 8160);
