-- Leads come from files too: known by what another system calls them, with the import that brought a touch.
ALTER TABLE leads ADD COLUMN external_ref text CHECK (length(external_ref) BETWEEN 1 AND 100);
ALTER TABLE leads ADD CONSTRAINT leads_external_ref_key UNIQUE (external_ref);
ALTER TABLE lead_touches ADD COLUMN import_id uuid;

-- What imports did is noted in one place for all kinds.
INSERT INTO import_changes (import_id, record_id, before, version, recorded_at, outcome, reason)
    SELECT import_id, customer_id, CASE WHEN before IS NOT NULL THEN json_build_object('core', before) END,
           version, recorded_at, CASE outcome WHEN 'archived' THEN 'withdrawn' ELSE outcome END, reason
    FROM customer_import_changes;
INSERT INTO import_undos (import_id, undone_at, undone_by, restored, withdrawn, kept)
    SELECT import_id, undone_at, undone_by, restored, archived, kept FROM customer_import_undos;
DROP TABLE customer_import_undos;
DROP TABLE customer_import_changes;
