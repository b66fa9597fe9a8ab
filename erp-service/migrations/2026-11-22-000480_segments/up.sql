-- Segments of customers, as the CRM has them: a replica, with who is in them and was.

CREATE TABLE segments (
    id             uuid CONSTRAINT segments_pkey PRIMARY KEY,
    name           text NOT NULL CONSTRAINT segments_name_given CHECK (length(name) BETWEEN 1 AND 400),
    description    text,
    kind           text NOT NULL CONSTRAINT segments_kind_known CHECK (kind IN ('static', 'rule')),
    status         text NOT NULL CONSTRAINT segments_status_known CHECK (status IN ('active', 'archived')),
    rule           text,
    source_version bigint NOT NULL,
    as_of          timestamptz NOT NULL,
    revision       bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX segments_by_name ON segments (name, id);
CREATE INDEX segments_by_age ON segments (created_at, id);

-- Each membership by itself. One that has ended stays: an earlier version that arrives late must not revive it. Of a customer
-- and a segment several may seem open for a moment, when the later one arrives before the end of the earlier.
CREATE TABLE segment_members (
    id             uuid CONSTRAINT segment_members_pkey PRIMARY KEY,
    segment_id     uuid NOT NULL CONSTRAINT segment_members_segment_known REFERENCES segments (id),
    customer_id    uuid NOT NULL CONSTRAINT segment_members_customer_known REFERENCES customers (id),
    entered_at     timestamptz NOT NULL,
    left_at        timestamptz,
    source_version bigint NOT NULL,
    as_of          timestamptz NOT NULL,
    CONSTRAINT segment_members_leave_later CHECK (left_at >= entered_at)
);
CREATE INDEX segment_members_by_entry ON segment_members (segment_id, entered_at, id);
CREATE INDEX segment_members_now ON segment_members (segment_id, customer_id) WHERE left_at IS NULL;
CREATE INDEX segment_members_of_customer ON segment_members (customer_id, segment_id);

-- Whose orders count to a segment: those of its customers, and of whom became part of one.
CREATE VIEW segment_buyers AS
    SELECT segment_id, customer_id FROM segment_members WHERE left_at IS NULL
    UNION ALL
    SELECT m.segment_id, c.id FROM segment_members m JOIN customers c ON c.merged_into = m.customer_id WHERE m.left_at IS NULL;
