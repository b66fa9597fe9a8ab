-- E-mail: templates, what a message has beside its activity, and what waits to go out.

CREATE TABLE email_templates (
    id         uuid PRIMARY KEY,
    code       text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{0,59}$'),
    language   text NOT NULL CHECK (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    subject    text NOT NULL CHECK (length(subject) BETWEEN 1 AND 300),
    text       text NOT NULL CHECK (length(text) BETWEEN 1 AND 50000),
    html       text CHECK (length(html) BETWEEN 1 AND 100000),
    active     boolean NOT NULL,
    revision   bigint NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT email_templates_code_language_key UNIQUE (code, language)
);
CREATE INDEX email_templates_by_age ON email_templates (created_at, id);

-- Of an activity that is a message; what was written never changes.
CREATE TABLE email_contents (
    activity_id   uuid PRIMARY KEY REFERENCES activities (id),
    html          text,
    in_reply_to   text,
    reference_ids text[] NOT NULL,
    bcc_addresses text[] NOT NULL,
    -- [{name, content_type, size}]
    attachments   json NOT NULL,
    template      text,
    language      text,
    -- a received message as it came: what is not shown of it is not lost
    source        bytea
);
-- An answer may arrive before what it answers.
CREATE INDEX email_contents_by_reference ON email_contents USING gin (reference_ids);

-- The outbox. A row is a message in the form in which it goes over the wire.
CREATE TABLE outgoing_mails (
    id              uuid PRIMARY KEY,
    -- none: a reminder to a user
    activity_id     uuid CONSTRAINT outgoing_mails_activity_key UNIQUE REFERENCES activities (id),
    message_id      text NOT NULL CONSTRAINT outgoing_mails_message_id_key UNIQUE,
    sender          text NOT NULL,
    recipients      text[] NOT NULL CHECK (cardinality(recipients) BETWEEN 1 AND 100),
    message         bytea NOT NULL,
    state           text NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'cancelled')),
    attempts        int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    allowed_attempts int NOT NULL,
    next_attempt_at timestamptz,
    -- until when the process that sends it has it for itself
    claimed_until   timestamptz,
    last_error      text,
    sent_at         timestamptz,
    created_at      timestamptz NOT NULL,
    CONSTRAINT outgoing_mails_queued CHECK ((state = 'queued') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT outgoing_mails_sending CHECK ((state = 'sending') = (claimed_until IS NOT NULL)),
    CONSTRAINT outgoing_mails_sent CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX outgoing_mails_waiting ON outgoing_mails (next_attempt_at, id) WHERE state = 'queued';
CREATE INDEX outgoing_mails_claimed ON outgoing_mails (claimed_until, id) WHERE state = 'sending';

-- Whom a message is from is found by the address, whatever its capitals.
CREATE INDEX contacts_by_address ON contacts (lower(email)) WHERE email IS NOT NULL;
CREATE INDEX customers_by_address ON customers (lower(email)) WHERE email IS NOT NULL;
