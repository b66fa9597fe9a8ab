-- Grades that are proposed from revenue and frequency, and who decided.

CREATE TABLE grade_settings (
    id          uuid PRIMARY KEY,
    -- how many days count, and from what on a customer is of a grade; all others are D
    period_days int NOT NULL CHECK (period_days BETWEEN 1 AND 3660),
    a_revenue   numeric(20,4) NOT NULL CHECK (a_revenue >= 0),
    a_orders    int NOT NULL CHECK (a_orders >= 0),
    b_revenue   numeric(20,4) NOT NULL CHECK (b_revenue >= 0),
    b_orders    int NOT NULL CHECK (b_orders >= 0),
    c_revenue   numeric(20,4) NOT NULL CHECK (c_revenue >= 0),
    c_orders    int NOT NULL CHECK (c_orders >= 0),
    revision    bigint NOT NULL CHECK (revision > 0),
    updated_at  timestamptz NOT NULL,
    CONSTRAINT grade_settings_descend CHECK (a_revenue >= b_revenue AND b_revenue >= c_revenue
        AND a_orders >= b_orders AND b_orders >= c_orders)
);
CREATE UNIQUE INDEX grade_settings_are_one ON grade_settings ((true));
INSERT INTO grade_settings
VALUES ('00000000-0000-7000-8000-000000000445', 365, 50000, 12, 10000, 4, 1000, 1, 1, now());

CREATE TABLE grade_runs (
    id         uuid PRIMARY KEY,
    as_of      date NOT NULL,
    currency   text NOT NULL,
    -- the settings as they were
    settings   json NOT NULL,
    proposals  bigint NOT NULL CHECK (proposals >= 0),
    -- customers whose revenue nobody knows, for want of a rate
    unvalued   bigint NOT NULL CHECK (unvalued >= 0),
    made_by_id uuid NOT NULL,
    made_by    text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX grade_runs_by_age ON grade_runs (created_at, id);

CREATE TABLE grade_proposals (
    id             uuid PRIMARY KEY,
    run_id         uuid NOT NULL CONSTRAINT grade_proposals_run_known REFERENCES grade_runs (id),
    customer_id    uuid NOT NULL CONSTRAINT grade_proposals_customer_known REFERENCES customers (id),
    from_grade     text CHECK (from_grade IN ('A', 'B', 'C', 'D')),
    to_grade       text NOT NULL CHECK (to_grade IN ('A', 'B', 'C', 'D')),
    revenue        numeric(20,4) NOT NULL,
    orders         bigint NOT NULL CHECK (orders >= 0),
    state          text NOT NULL CHECK (state IN ('proposed', 'approved', 'rejected', 'superseded')),
    effective_from date,
    reason         text CHECK (length(reason) BETWEEN 1 AND 500),
    decided_by     text,
    decided_at     timestamptz,
    revision       bigint NOT NULL CHECK (revision > 0),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT grade_proposals_change CHECK (from_grade IS DISTINCT FROM to_grade),
    CONSTRAINT grade_proposals_decided CHECK ((state IN ('approved', 'rejected')) = (decided_at IS NOT NULL)),
    CONSTRAINT grade_proposals_effective CHECK ((state = 'approved') = (effective_from IS NOT NULL))
);
CREATE UNIQUE INDEX grade_proposals_one_open ON grade_proposals (customer_id) WHERE state = 'proposed';
CREATE INDEX grade_proposals_by_age ON grade_proposals (created_at, id);
CREATE INDEX grade_proposals_of_customer ON grade_proposals (customer_id, created_at, id);
CREATE INDEX grade_proposals_of_run ON grade_proposals (run_id, created_at, id);
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON grade_proposals
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
