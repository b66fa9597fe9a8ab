-- Failures to sign in are counted by what was typed, so that an e-mail address that nobody has
-- behaves like one that somebody has. Of the address only its SHA-256 is kept.
ALTER TABLE users DROP COLUMN failed_sign_ins, DROP COLUMN locked_until;

CREATE TABLE sign_in_failures (
    email_hash   bytea PRIMARY KEY CHECK (length(email_hash) = 32),
    failures     int NOT NULL CHECK (failures > 0),
    -- the first failure that counts
    since        timestamptz NOT NULL,
    locked_until timestamptz
);
CREATE INDEX sign_in_failures_by_age ON sign_in_failures (since);

-- What the user signed in with, to tell sessions apart.
ALTER TABLE sessions ADD COLUMN user_agent text CHECK (length(user_agent) <= 200);
