-- Segments and who is in them travel too; what was there before is brought over first.
INSERT INTO flow_states (name, resync_requested_at, resync_reason, resync_replace)
SELECT name, now(), 'initial load', false FROM unnest(ARRAY['segments-to-erp', 'segment-members-to-erp']) AS name;
