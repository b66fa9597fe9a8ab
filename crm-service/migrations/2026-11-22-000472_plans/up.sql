-- What somebody, or a team, is to reach in a month; and what their work is counted by.

CREATE TABLE plans (
    id         uuid PRIMARY KEY,
    of         text NOT NULL CHECK (of IN ('user', 'team')),
    -- of a user: who, and the team then
    owner_id   uuid CONSTRAINT plans_owner_known REFERENCES users (id),
    team_id    uuid CONSTRAINT plans_team_known REFERENCES teams (id),
    month      date NOT NULL CHECK (extract(day FROM month) = 1),
    kind       text NOT NULL CHECK (kind IN ('calls', 'meetings', 'deals', 'revenue', 'overdue_tasks')),
    target     numeric(20, 4) NOT NULL CHECK (target >= 0),
    revision   bigint NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT plans_of_somebody CHECK (CASE of WHEN 'user' THEN owner_id IS NOT NULL ELSE owner_id IS NULL AND team_id IS NOT NULL END)
);
CREATE UNIQUE INDEX plans_one_of_user ON plans (owner_id, month, kind) WHERE of = 'user';
CREATE UNIQUE INDEX plans_one_of_team ON plans (team_id, month, kind) WHERE of = 'team';
CREATE INDEX plans_by_month ON plans (month, id);
CREATE INDEX plans_by_age ON plans (created_at, id);

CREATE INDEX activities_done ON activities (done_at) INCLUDE (id, kind, owner_id, team_id)
    WHERE state = 'done' AND kind IN ('call', 'meeting');
CREATE INDEX activities_tasks_due ON activities (due_on) INCLUDE (id, state, due_by, done_at, owner_id, team_id)
    WHERE kind = 'task' AND due_on IS NOT NULL;
