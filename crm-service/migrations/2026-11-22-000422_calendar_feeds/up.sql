-- The secret address of each user's calendar.

CREATE TABLE calendar_feeds (
    user_id    uuid PRIMARY KEY REFERENCES users (id),
    -- SHA-256 of the secret
    hash       bytea NOT NULL CHECK (length(hash) = 32),
    revision   bigint NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    CONSTRAINT calendar_feeds_hash_key UNIQUE (hash)
);

-- What a calendar shows.
CREATE INDEX activities_calendar ON activities (owner_id, due_by) WHERE due_by IS NOT NULL;
