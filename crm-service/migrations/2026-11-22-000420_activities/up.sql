-- What was done and is to be done: one stream for all kinds, on any record or on none.

-- Text is found by its trigrams. A contrib module, trusted since PostgreSQL 13: the owner of the
-- database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE activities (
    id               uuid PRIMARY KEY,
    kind             text NOT NULL CHECK (kind IN ('task', 'call', 'meeting', 'note', 'sms', 'email')),
    state            text NOT NULL CHECK (state IN ('open', 'done', 'cancelled')),
    title            text NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    body             text CHECK (length(body) BETWEEN 1 AND 100000),
    subject_type     text CHECK (subject_type IN ('customer', 'lead', 'deal', 'quote', 'order')),
    subject_id       uuid,
    -- derived from the subject: so that a customer's card and timeline find it
    customer_id      uuid CONSTRAINT activities_customer_known REFERENCES customers (id),
    contact_id       uuid CONSTRAINT activities_contact_known REFERENCES contacts (id) ON DELETE SET NULL,
    priority         text NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
    due_on           date,
    due_at           timestamptz,
    -- when it becomes overdue: the time, or the end of the day in the company's zone
    due_by           timestamptz,
    starts_at        timestamptz,
    ends_at          timestamptz,
    location         text CHECK (length(location) BETWEEN 1 AND 300),
    attendees        text[] NOT NULL DEFAULT '{}',
    direction        text CHECK (direction IN ('in', 'out')),
    phone            text CHECK (length(phone) BETWEEN 1 AND 50),
    outcome          text CHECK (outcome IN ('reached', 'no_answer', 'busy', 'left_message', 'wrong_number')),
    duration_minutes int CHECK (duration_minutes BETWEEN 0 AND 1440),
    from_address     text CHECK (length(from_address) <= 320),
    to_addresses     text[] NOT NULL DEFAULT '{}',
    cc_addresses     text[] NOT NULL DEFAULT '{}',
    message_id       text CHECK (length(message_id) BETWEEN 3 AND 998),
    thread_id        uuid,
    delivery         text CHECK (delivery IN ('queued', 'sent', 'failed', 'received')),
    recurrence       text CHECK (length(recurrence) BETWEEN 6 AND 500),
    -- a series: its first activity, the wall clock of that one's due, and the place of this one in it
    series_id        uuid,
    series_start     timestamp,
    occurs_at        timestamp,
    next_id          uuid,
    remind_at        timestamptz,
    reminded_at      timestamptz,
    done_at          timestamptz,
    owner_id         uuid CONSTRAINT activities_owner_known REFERENCES users (id),
    team_id          uuid CONSTRAINT activities_team_known REFERENCES teams (id),
    revision         bigint NOT NULL CHECK (revision > 0),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    -- what is searched: as much of a long text as people look for
    search_text      text NOT NULL GENERATED ALWAYS AS (lower(title || E'\n' || coalesce(left(body, 4000), ''))) STORED,
    CONSTRAINT activities_subject_whole CHECK ((subject_type IS NULL) = (subject_id IS NULL)),
    CONSTRAINT activities_done_when CHECK ((state = 'done') = (done_at IS NOT NULL)),
    CONSTRAINT activities_facts_are_done CHECK (kind NOT IN ('note', 'sms') OR state = 'done'),
    CONSTRAINT activities_text_needed CHECK (kind NOT IN ('note', 'sms') OR body IS NOT NULL),
    CONSTRAINT activities_due_whole CHECK ((due_on IS NULL) = (due_by IS NULL) AND (due_at IS NULL OR due_on IS NOT NULL)),
    CONSTRAINT activities_due_kinds CHECK (kind IN ('task', 'call', 'meeting') OR due_by IS NULL),
    CONSTRAINT activities_meeting_times CHECK
        ((kind = 'meeting') = (starts_at IS NOT NULL) AND (kind = 'meeting') = (ends_at IS NOT NULL)),
    CONSTRAINT activities_meeting_ends_later CHECK (ends_at > starts_at),
    CONSTRAINT activities_meeting_fields CHECK (kind = 'meeting' OR (location IS NULL AND attendees = '{}')),
    CONSTRAINT activities_direction_kinds CHECK ((kind IN ('call', 'sms', 'email')) = (direction IS NOT NULL)),
    CONSTRAINT activities_phone_kinds CHECK (kind IN ('call', 'sms') OR phone IS NULL),
    CONSTRAINT activities_call_fields CHECK (kind = 'call' OR (outcome IS NULL AND duration_minutes IS NULL)),
    CONSTRAINT activities_call_outcome CHECK (kind <> 'call' OR state <> 'done' OR outcome IS NOT NULL),
    CONSTRAINT activities_email_fields CHECK (kind = 'email' OR (from_address IS NULL AND to_addresses = '{}'
        AND cc_addresses = '{}' AND num_nonnulls(message_id, thread_id, delivery) = 0)),
    CONSTRAINT activities_email_message CHECK (num_nonnulls(message_id, thread_id, delivery) IN (0, 3)),
    CONSTRAINT activities_recurrence_whole CHECK (recurrence IS NULL
        OR num_nonnulls(series_id, series_start, occurs_at, due_by) = 4),
    CONSTRAINT activities_reminder_kinds CHECK (kind IN ('task', 'call', 'meeting') OR remind_at IS NULL),
    CONSTRAINT activities_reminded_for CHECK (remind_at IS NOT NULL OR reminded_at IS NULL)
) WITH (fillfactor = 90);

CREATE INDEX activities_by_age ON activities (created_at, id);
CREATE INDEX activities_by_owner ON activities (owner_id, created_at, id);
CREATE INDEX activities_by_team ON activities (team_id, created_at, id);
CREATE INDEX activities_of_customer ON activities (customer_id, created_at, id);
CREATE INDEX activities_of_subject ON activities (subject_id, created_at, id);
CREATE INDEX activities_due_on ON activities (due_on, created_at, id) WHERE due_on IS NOT NULL;
-- What is open has few rows among many that are done.
CREATE INDEX activities_open ON activities (due_by, id) WHERE state = 'open' AND due_by IS NOT NULL;
CREATE INDEX activities_open_by_owner ON activities (owner_id, due_by, id) WHERE state = 'open' AND due_by IS NOT NULL;
CREATE INDEX activities_open_by_team ON activities (team_id, due_by, id) WHERE state = 'open' AND due_by IS NOT NULL;
CREATE INDEX activities_open_of_customer ON activities (customer_id, due_by, id)
    WHERE state = 'open' AND due_by IS NOT NULL;
CREATE INDEX activities_to_remind ON activities (remind_at)
    WHERE state = 'open' AND remind_at IS NOT NULL AND reminded_at IS NULL;
-- One activity for each place in a series: completing one twice makes the next once.
CREATE UNIQUE INDEX activities_once_in_a_series ON activities (series_id, occurs_at) WHERE series_id IS NOT NULL;
CREATE UNIQUE INDEX activities_message_id_key ON activities (message_id);
CREATE INDEX activities_by_thread ON activities (thread_id, created_at, id) WHERE thread_id IS NOT NULL;
CREATE INDEX activities_by_contact ON activities (contact_id) WHERE contact_id IS NOT NULL;
-- The list of what is not yet in the index is looked through at every search: kept short.
CREATE INDEX activities_text ON activities USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 256);

-- What somebody should know, in the application; read or not yet.
CREATE TABLE notifications (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id),
    kind         text NOT NULL CHECK (kind ~ '^[a-z_]{1,60}$'),
    title        text NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    subject_type text NOT NULL CHECK (subject_type ~ '^[a-z_]{1,60}$'),
    subject      uuid NOT NULL,
    -- the instant that it is about: a reminder for it is told once
    about        timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    read_at      timestamptz,
    CONSTRAINT notifications_once UNIQUE (user_id, kind, subject, about)
);
CREATE INDEX notifications_newest_first ON notifications (user_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (user_id, created_at, id) WHERE read_at IS NULL;
