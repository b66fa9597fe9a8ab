-- What an import did to which record, so that it can be taken back.
CREATE TABLE import_changes (
    import_id   uuid NOT NULL,
    record_id   uuid NOT NULL,
    -- the record as it was; null: the import made it
    before      json,
    -- its version as the import left it
    version     bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- when the import was taken back
    outcome     text CHECK (outcome IN ('restored', 'withdrawn', 'kept')),
    reason      text CHECK (length(reason) BETWEEN 1 AND 60),
    PRIMARY KEY (import_id, record_id),
    CONSTRAINT import_changes_kept_why CHECK ((reason IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'kept'))
);
CREATE INDEX import_changes_by_age ON import_changes (recorded_at);

-- An import is taken back once.
CREATE TABLE import_undos (
    import_id uuid PRIMARY KEY,
    undone_at timestamptz NOT NULL,
    undone_by text NOT NULL,
    restored  bigint NOT NULL DEFAULT 0,
    withdrawn bigint NOT NULL DEFAULT 0,
    kept      bigint NOT NULL DEFAULT 0
);
