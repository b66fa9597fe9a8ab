-- Where each flow stands. The row is also its lease: whoever is lease_owner until lease_until works
-- on it, and lease_epoch rises with every change of owner, so that a late write of an earlier owner
-- touches nothing.
CREATE TABLE flow_states (
    name                     text CONSTRAINT flow_states_pkey PRIMARY KEY,
    id                       uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT flow_states_id_unique UNIQUE,
    paused                   boolean NOT NULL DEFAULT false,
    -- What the owner reported last; `paused` is a wish of the operator and stands above it.
    state                    text NOT NULL DEFAULT 'running' CONSTRAINT flow_states_state_known CHECK
        (state IN ('running', 'resyncing', 'waiting_for_source', 'waiting_for_target', 'gone')),
    last_error               text,
    -- Opaque: a place in the source's event feed. Everything up to it is applied, stored for a
    -- retry, or parked.
    cursor                   text,
    last_event_at            timestamptz,
    committed_to_read_ms     bigint,
    read_to_applied_ms       bigint,
    read                     bigint NOT NULL DEFAULT 0,
    superseded               bigint NOT NULL DEFAULT 0,
    skipped                  bigint NOT NULL DEFAULT 0,
    applied                  bigint NOT NULL DEFAULT 0,
    retried                  bigint NOT NULL DEFAULT 0,
    dead                     bigint NOT NULL DEFAULT 0,
    lease_owner              uuid,
    lease_until              timestamptz,
    lease_epoch              bigint NOT NULL DEFAULT 0,
    -- A resync is open while resync_requested_at is set, and has begun once resync_head is: the
    -- feed's head from before the first page, where the flow goes on afterwards.
    resync_requested_at      timestamptz,
    resync_reason            text,
    -- Whether what it sends replaces what the target has, regardless of version.
    resync_replace           boolean NOT NULL DEFAULT true,
    resync_head              text,
    resync_list              integer NOT NULL DEFAULT 0,
    resync_page              text,
    resync_pushed            bigint NOT NULL DEFAULT 0,
    resync_finished_at       timestamptz,
    revision                 bigint NOT NULL DEFAULT 1,
    updated_at               timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT flow_states_lease_whole CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CONSTRAINT flow_states_resync_whole CHECK (resync_requested_at IS NOT NULL OR resync_head IS NULL)
) WITH (fillfactor = 50);

-- The first thing that a flow does is to bring over what was there before it. It replaces nothing:
-- when the sync itself has lost its memory, both sides are as they should be.
INSERT INTO flow_states (name, resync_requested_at, resync_reason, resync_replace)
SELECT name, now(), 'initial load', false
FROM unnest(ARRAY['customers-to-erp', 'orders-to-erp', 'catalogue-to-crm', 'availability-to-crm',
                  'fulfilment-to-crm', 'credit-to-crm']) AS name;

-- Changes that failed while their target was healthy: one row a record, the newest version.
CREATE TABLE retries (
    flow            text NOT NULL CONSTRAINT retries_flow_known REFERENCES flow_states,
    kind            text NOT NULL,
    subject         uuid NOT NULL,
    version         bigint NOT NULL,
    -- Whether it is to be applied regardless of version (it came from a resync).
    replace         boolean NOT NULL,
    as_of           timestamptz NOT NULL,
    path            text NOT NULL,
    body            text NOT NULL,
    attempts        integer NOT NULL CONSTRAINT retries_attempts_positive CHECK (attempts > 0),
    next_at         timestamptz NOT NULL,
    last_error      text NOT NULL,
    first_failed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT retries_pkey PRIMARY KEY (flow, kind, subject)
);
CREATE INDEX retries_by_time ON retries (flow, next_at);

-- Changes that the target refused, until somebody acts or a later version of the record applies.
CREATE TABLE dead_letters (
    id          uuid CONSTRAINT dead_letters_pkey PRIMARY KEY,
    flow        text NOT NULL CONSTRAINT dead_letters_flow_known REFERENCES flow_states,
    kind        text NOT NULL,
    subject     uuid NOT NULL,
    version     bigint NOT NULL,
    replace     boolean NOT NULL,
    as_of       timestamptz NOT NULL,
    -- What was sent; absent when no request could be made of the event.
    path        text,
    request     json,
    -- What the target answered; absent when it was not asked.
    status      integer,
    answer      text,
    reason      text NOT NULL,
    attempts    integer NOT NULL DEFAULT 1 CONSTRAINT dead_letters_attempts_positive CHECK (attempts > 0),
    state       text NOT NULL DEFAULT 'open' CONSTRAINT dead_letters_state_known CHECK
        (state IN ('open', 'resolved', 'discarded')),
    -- How it was resolved, or why it was discarded.
    resolution  text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,
    revision    bigint NOT NULL DEFAULT 1,
    CONSTRAINT dead_letters_closed_whole CHECK ((state = 'open') = (closed_at IS NULL)),
    CONSTRAINT dead_letters_resolution_given CHECK ((state = 'open') = (resolution IS NULL))
);
CREATE UNIQUE INDEX dead_letters_one_open ON dead_letters (flow, kind, subject) WHERE state = 'open';
CREATE INDEX dead_letters_by_age ON dead_letters (created_at, id);
CREATE INDEX dead_letters_by_state ON dead_letters (state, created_at, id);

-- Which flows have noticed the latest restore of a system: the first one has everything that goes
-- into that system sent again, the others do not repeat it.
CREATE TABLE restores (
    system     text CONSTRAINT restores_pkey PRIMARY KEY,
    noticed_by text[] NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now()
);
