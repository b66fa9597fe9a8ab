CREATE TABLE customer_import_changes (
    import_id   uuid NOT NULL,
    customer_id uuid NOT NULL REFERENCES customers (id),
    before      json,
    version     bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    outcome     text CHECK (outcome IN ('restored', 'archived', 'kept')),
    reason      text CHECK (length(reason) BETWEEN 1 AND 60),
    PRIMARY KEY (import_id, customer_id),
    CONSTRAINT customer_import_changes_kept_why CHECK ((reason IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'kept'))
);
CREATE INDEX customer_import_changes_by_age ON customer_import_changes (recorded_at);
CREATE TABLE customer_import_undos (
    import_id uuid PRIMARY KEY,
    undone_at timestamptz NOT NULL,
    undone_by text NOT NULL,
    restored  bigint NOT NULL DEFAULT 0,
    archived  bigint NOT NULL DEFAULT 0,
    kept      bigint NOT NULL DEFAULT 0
);
INSERT INTO customer_import_changes (import_id, customer_id, before, version, recorded_at, outcome, reason)
    SELECT import_id, record_id, before -> 'core', version, recorded_at,
           CASE outcome WHEN 'withdrawn' THEN 'archived' ELSE outcome END, reason
    FROM import_changes WHERE record_id IN (SELECT id FROM customers);
INSERT INTO customer_import_undos (import_id, undone_at, undone_by, restored, archived, kept)
    SELECT import_id, undone_at, undone_by, restored, withdrawn, kept FROM import_undos
    WHERE import_id IN (SELECT import_id FROM customer_import_changes);
TRUNCATE import_changes, import_undos;
ALTER TABLE lead_touches DROP COLUMN import_id;
ALTER TABLE leads DROP COLUMN external_ref;
