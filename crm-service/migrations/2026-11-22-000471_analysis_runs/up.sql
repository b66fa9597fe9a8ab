-- Analyses as they were made: with their parameters, their period and the class of everybody in them.

CREATE TABLE analysis_runs (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('abc', 'xyz', 'bcg', 'rfm')),
    subject      text NOT NULL CHECK (subject IN ('customer', 'product', 'category')),
    from_day     date NOT NULL,
    to_day       date NOT NULL,
    -- what growth is measured against
    against_from date,
    against_to   date,
    thresholds   json NOT NULL,
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- whose records are in it: also who may see it
    sees         text NOT NULL CHECK (sees IN ('own', 'team', 'all')),
    owner_id     uuid REFERENCES users (id),
    team_id      uuid REFERENCES teams (id),
    net          numeric(24, 4) NOT NULL,
    net_before   numeric(24, 4),
    -- [{class, count, net, unvalued}]
    classes      json NOT NULL,
    as_of        timestamptz NOT NULL,
    revision     bigint NOT NULL CHECK (revision = 1),
    created_at   timestamptz NOT NULL,
    CONSTRAINT analysis_runs_period CHECK (to_day >= from_day),
    CONSTRAINT analysis_runs_growth CHECK ((kind = 'bcg') = (against_from IS NOT NULL) AND (kind = 'bcg') = (against_to IS NOT NULL)),
    CONSTRAINT analysis_runs_owner CHECK ((sees = 'all') = (owner_id IS NULL) AND team_id IS NULL)
);
CREATE INDEX analysis_runs_by_age ON analysis_runs (created_at, id);
CREATE INDEX analysis_runs_by_kind ON analysis_runs (kind, subject, created_at, id);

CREATE TABLE analysis_run_items (
    run_id        uuid NOT NULL REFERENCES analysis_runs DEFERRABLE INITIALLY DEFERRED,
    position      int NOT NULL CHECK (position > 0),
    -- null: what has no category
    subject_id    uuid,
    class         text NOT NULL,
    net           numeric(24, 4),
    unvalued      bigint NOT NULL,
    orders        bigint NOT NULL,
    quantity      numeric(24, 3) NOT NULL,
    share_before  numeric,
    variation     numeric,
    net_before    numeric(24, 4),
    growth        numeric,
    relative_size numeric,
    last_order_on date,
    recency       int,
    frequency     int,
    monetary      int,
    PRIMARY KEY (run_id, position),
    CONSTRAINT analysis_run_items_once UNIQUE NULLS NOT DISTINCT (run_id, subject_id)
);
CREATE INDEX analysis_run_items_by_class ON analysis_run_items (run_id, class, position);

-- What was found stays as it was found.
CREATE FUNCTION refuse_analysis_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an analysis stays as it was made' USING ERRCODE = '23514', CONSTRAINT = 'analysis_runs_stay';
END $$;
CREATE TRIGGER analysis_runs_stay BEFORE UPDATE OR DELETE ON analysis_runs
    FOR EACH ROW EXECUTE FUNCTION refuse_analysis_change();
CREATE TRIGGER analysis_run_items_stay BEFORE UPDATE OR DELETE ON analysis_run_items
    FOR EACH ROW EXECUTE FUNCTION refuse_analysis_change();
