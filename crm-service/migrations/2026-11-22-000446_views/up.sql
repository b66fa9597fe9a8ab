-- Lists as somebody likes to see them.

CREATE TABLE saved_views (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    record_type text NOT NULL CHECK (record_type IN ('customer', 'lead', 'deal', 'quote', 'order', 'activity', 'invoice')),
    filters     json NOT NULL,
    sort        text CHECK (length(sort) BETWEEN 1 AND 60),
    column_names text[] NOT NULL CHECK (cardinality(column_names) <= 100),
    -- whose it is; a view of a client with a key is nobody's
    owner_id    uuid CONSTRAINT saved_views_owner_known REFERENCES users (id),
    -- with whom it is shared
    team_id     uuid CONSTRAINT saved_views_team_known REFERENCES teams (id),
    revision    bigint NOT NULL CHECK (revision > 0),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX saved_views_name_once ON saved_views (owner_id, record_type, lower(name)) NULLS NOT DISTINCT;
CREATE INDEX saved_views_by_age ON saved_views (created_at, id);
CREATE INDEX saved_views_by_name ON saved_views (name, id);
CREATE INDEX saved_views_of_team ON saved_views (team_id) WHERE team_id IS NOT NULL;
