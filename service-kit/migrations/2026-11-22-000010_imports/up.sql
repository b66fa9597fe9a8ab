-- Imports of CSV files, and the answer to each of their rows.

CREATE TABLE imports (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
    dry_run         boolean NOT NULL,
    status          text NOT NULL CHECK (status IN ('open', 'completed')),
    column_names    text[] NOT NULL,
    row_count       bigint NOT NULL DEFAULT 0,
    created_rows    bigint NOT NULL DEFAULT 0,
    updated_rows    bigint NOT NULL DEFAULT 0,
    unchanged_rows  bigint NOT NULL DEFAULT 0,
    rejected_rows   bigint NOT NULL DEFAULT 0,
    -- Which file it is: the digest of its first bytes, up to the end of the first `checked_rows` rows.
    content_length  bigint,
    bytes           bigint NOT NULL,
    digest          bytea NOT NULL CHECK (length(digest) = 32),
    checked_rows    bigint NOT NULL,
    actor_id        uuid NOT NULL,
    actor           text NOT NULL,
    revision        bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    completed_at    timestamptz,
    CONSTRAINT imports_every_row_is_answered
        CHECK (row_count = created_rows + updated_rows + unchanged_rows + rejected_rows),
    CONSTRAINT imports_completed CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CONSTRAINT imports_checked CHECK (checked_rows <= row_count)
);
CREATE INDEX imports_by_age ON imports (created_at, id);
CREATE INDEX imports_by_change ON imports (updated_at);

-- No foreign key: an import is never deleted, and its rows are only written while it is locked.
CREATE TABLE import_rows (
    import_id   uuid NOT NULL,
    row_number  bigint NOT NULL,
    line        bigint NOT NULL,
    result      text NOT NULL CHECK (result IN ('created', 'updated', 'unchanged', 'rejected')),
    key         text,
    record_id   uuid,
    faults      json NOT NULL,
    PRIMARY KEY (import_id, row_number)
);
CREATE INDEX import_rows_by_key ON import_rows (import_id, key, row_number) WHERE key IS NOT NULL;
CREATE INDEX import_rows_by_result ON import_rows (import_id, result, row_number);
