-- Files on records. The content stands apart: lists read none of it.

CREATE TABLE attachments (
    id           uuid PRIMARY KEY,
    subject_type text NOT NULL CHECK (subject_type IN ('customer', 'lead', 'deal', 'quote', 'order')),
    subject_id   uuid NOT NULL,
    -- derived from the subject
    customer_id  uuid CONSTRAINT attachments_customer_known REFERENCES customers (id),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    content_type text NOT NULL CHECK (length(content_type) BETWEEN 3 AND 100),
    size         bigint NOT NULL CHECK (size BETWEEN 1 AND 10485760),
    sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    added_by     text NOT NULL,
    owner_id     uuid CONSTRAINT attachments_owner_known REFERENCES users (id),
    team_id      uuid CONSTRAINT attachments_team_known REFERENCES teams (id),
    revision     bigint NOT NULL CHECK (revision > 0),
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX attachments_by_age ON attachments (created_at, id);
CREATE INDEX attachments_by_name ON attachments (name, id);
CREATE INDEX attachments_of_subject ON attachments (subject_id, created_at, id);
CREATE INDEX attachments_of_customer ON attachments (customer_id, created_at, id);
CREATE INDEX attachments_by_owner ON attachments (owner_id, created_at, id);
CREATE INDEX attachments_by_team ON attachments (team_id, created_at, id);

CREATE TABLE attachment_contents (
    attachment_id uuid PRIMARY KEY CONSTRAINT attachment_contents_known REFERENCES attachments (id) ON DELETE CASCADE,
    bytes         bytea NOT NULL
);
-- Most files are packed already.
ALTER TABLE attachment_contents ALTER COLUMN bytes SET STORAGE EXTERNAL;
