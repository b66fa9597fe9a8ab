DROP INDEX activities_text;
CREATE INDEX activities_text ON activities USING gin (search_text gin_trgm_ops) WITH (gin_pending_list_limit = 256);
DROP EXTENSION btree_gin;
