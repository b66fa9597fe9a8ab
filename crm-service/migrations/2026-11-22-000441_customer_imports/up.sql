-- What an import did to which customer, so that it can be taken back.
CREATE TABLE customer_import_changes (
    import_id   uuid NOT NULL,
    customer_id uuid NOT NULL REFERENCES customers (id),
    -- the customer's core as it was; null: the import made it
    before      json,
    -- its version as the import left it
    version     bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- when the import was taken back
    outcome     text CHECK (outcome IN ('restored', 'archived', 'kept')),
    reason      text CHECK (length(reason) BETWEEN 1 AND 60),
    PRIMARY KEY (import_id, customer_id),
    CONSTRAINT customer_import_changes_kept_why CHECK ((reason IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'kept'))
);
CREATE INDEX customer_import_changes_by_age ON customer_import_changes (recorded_at);

-- An import is taken back once.
CREATE TABLE customer_import_undos (
    import_id uuid PRIMARY KEY,
    undone_at timestamptz NOT NULL,
    undone_by text NOT NULL,
    restored  bigint NOT NULL DEFAULT 0,
    archived  bigint NOT NULL DEFAULT 0,
    kept      bigint NOT NULL DEFAULT 0
);
