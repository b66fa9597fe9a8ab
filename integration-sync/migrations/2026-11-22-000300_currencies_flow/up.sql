-- Invoices, credit notes and payments travel too; what was there before is brought over first.
INSERT INTO flow_states (name, resync_requested_at, resync_reason, resync_replace)
VALUES ('currencies-to-crm', now(), 'initial load', false);
