ALTER TABLE timeline_entries DROP COLUMN follows_owner, DROP COLUMN owner_id, DROP COLUMN team_id;
ALTER TABLE orders DROP COLUMN owner_id, DROP COLUMN team_id;
ALTER TABLE customers DROP COLUMN owner_id, DROP COLUMN team_id;
