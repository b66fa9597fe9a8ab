-- A text that everybody writes may be rare among what one person or team has: the index knows
-- whose an activity is, and does not read all the others.
CREATE EXTENSION IF NOT EXISTS btree_gin;
DROP INDEX activities_text;
-- The list of what is not yet in the index is looked through at every search: kept short.
CREATE INDEX activities_text ON activities USING gin (owner_id, team_id, search_text gin_trgm_ops)
    WITH (gin_pending_list_limit = 256);
