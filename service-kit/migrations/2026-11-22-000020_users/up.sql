-- People who sign in, the teams they work in, and their sessions.

CREATE TABLE teams (
    id         uuid PRIMARY KEY,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    parent_id  uuid REFERENCES teams (id),
    revision   bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT teams_name_key UNIQUE (name),
    CONSTRAINT teams_not_their_own_parent CHECK (parent_id <> id)
);
CREATE INDEX teams_by_parent ON teams (parent_id);

CREATE TABLE users (
    id              uuid PRIMARY KEY,
    email           text NOT NULL CHECK (email = lower(email) AND length(email) <= 254 AND position('@' IN email) > 1),
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role            text NOT NULL,
    permissions     text[] NOT NULL DEFAULT '{}',
    -- which of the records that have an owner: one's own, those of one's team and the teams below it, or all
    sees            text NOT NULL CHECK (sees IN ('own', 'team', 'all')),
    team_id         uuid REFERENCES teams (id),
    active          boolean NOT NULL DEFAULT true,
    -- argon2id in PHC format; null as long as no password was set
    password_hash   text CHECK (password_hash LIKE '$argon2id$%'),
    failed_sign_ins int NOT NULL DEFAULT 0 CHECK (failed_sign_ins >= 0),
    locked_until    timestamptz,
    revision        bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT users_email_key UNIQUE (email)
);
CREATE INDEX users_by_team ON users (team_id);
CREATE INDEX users_by_name ON users (name, id);

CREATE TABLE sessions (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (id),
    hash       bytea NOT NULL CHECK (length(hash) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT sessions_hash_key UNIQUE (hash),
    CONSTRAINT sessions_expire_later CHECK (expires_at > created_at)
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
