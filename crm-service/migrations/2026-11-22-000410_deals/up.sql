-- Pipelines with versioned stages, the deals in them, and what became of each.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE pipelines (
    id         uuid PRIMARY KEY,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    status     text NOT NULL CHECK (status IN ('active', 'archived')),
    -- Takes the deals that name no pipeline.
    is_default boolean NOT NULL,
    version    bigint NOT NULL CHECK (version > 0),
    revision   bigint NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pipelines_name_key UNIQUE (name),
    CONSTRAINT pipelines_default_is_active CHECK (NOT is_default OR status = 'active')
);
CREATE UNIQUE INDEX pipelines_one_default ON pipelines (is_default) WHERE is_default;
CREATE INDEX pipelines_by_age ON pipelines (created_at, id);

CREATE TABLE pipeline_versions (
    id           uuid PRIMARY KEY,
    pipeline_id  uuid NOT NULL REFERENCES pipelines,
    number       int NOT NULL CHECK (number > 0),
    state        text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    published_at timestamptz,
    created_at   timestamptz NOT NULL,
    CONSTRAINT pipeline_versions_number_key UNIQUE (pipeline_id, number),
    CONSTRAINT pipeline_versions_published_when CHECK ((state = 'draft') = (published_at IS NULL))
);
CREATE UNIQUE INDEX pipeline_versions_one_draft ON pipeline_versions (pipeline_id) WHERE state = 'draft';
CREATE UNIQUE INDEX pipeline_versions_one_published ON pipeline_versions (pipeline_id) WHERE state = 'published';

CREATE TABLE pipeline_stages (
    id          uuid PRIMARY KEY,
    version_id  uuid NOT NULL REFERENCES pipeline_versions,
    pipeline_id uuid NOT NULL REFERENCES pipelines,
    position    int NOT NULL CHECK (position > 0),
    -- What the stage is called from version to version.
    key         text NOT NULL CHECK (key ~ '^[a-z0-9_]{1,40}$'),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    probability numeric(5,4) NOT NULL CHECK (probability BETWEEN 0 AND 1),
    -- A deal that has been here for more days has aged.
    ageing_days int CHECK (ageing_days > 0),
    next_stages text[] NOT NULL,
    -- [{key, name, evidence, field, optional, on_loss}]
    steps       json NOT NULL,
    CONSTRAINT pipeline_stages_key_key UNIQUE (version_id, key),
    CONSTRAINT pipeline_stages_position_key UNIQUE (version_id, position),
    -- So that a deal's stage is one of its pipeline.
    CONSTRAINT pipeline_stages_of_pipeline UNIQUE (id, key, pipeline_id)
);

-- What is published stays as it was published: the deals in it were promised these rules.
CREATE FUNCTION refuse_published_stage_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM pipeline_versions WHERE id = coalesce(NEW.version_id, OLD.version_id)) <> 'draft' THEN
        RAISE EXCEPTION 'the version is published' USING ERRCODE = '23514', CONSTRAINT = 'pipeline_stages_published';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER pipeline_stages_published BEFORE INSERT OR UPDATE OR DELETE ON pipeline_stages
    FOR EACH ROW EXECUTE FUNCTION refuse_published_stage_change();

CREATE TABLE loss_reasons (
    id         uuid PRIMARY KEY,
    code       text NOT NULL CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    active     boolean NOT NULL,
    revision   bigint NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT loss_reasons_code_key UNIQUE (code)
);
CREATE INDEX loss_reasons_by_name ON loss_reasons (name, id);

CREATE TABLE deals (
    id                uuid PRIMARY KEY,
    name              text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    customer_id       uuid NOT NULL CONSTRAINT deals_customer_known REFERENCES customers,
    -- Not a reference: a contact may be removed from the customer.
    contact_id        uuid,
    pipeline_id       uuid NOT NULL REFERENCES pipelines,
    stage_id          uuid NOT NULL,
    stage_key         text NOT NULL,
    state             text NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- null: nobody knows yet
    amount            numeric(20,4) CHECK (amount >= 0),
    -- Whether somebody named the amount; else it is the sum of the lines.
    amount_given      boolean NOT NULL,
    -- That of the stage.
    probability       numeric(5,4) NOT NULL CHECK (probability BETWEEN 0 AND 1),
    -- round(amount × probability), half to even
    weighted_amount   numeric(20,4),
    expected_close_on date,
    -- The order of lists and of the board: what has no date comes last.
    close_key         date NOT NULL GENERATED ALWAYS AS (coalesce(expected_close_on, DATE '9999-12-31')) STORED,
    source            text CHECK (length(source) BETWEEN 1 AND 200),
    campaign          text CHECK (length(campaign) BETWEEN 1 AND 200),
    next_step         text CHECK (length(next_step) BETWEEN 1 AND 500),
    next_step_on      date,
    loss_reason       text CONSTRAINT deals_loss_reason_known REFERENCES loss_reasons (code),
    competitor        text CHECK (length(competitor) BETWEEN 1 AND 200),
    competitor_id     uuid,
    closed_on         date,
    -- What the amount was worth in the company's currency when the deal was closed.
    base_amount       numeric(22,4),
    base_currency     text CHECK (base_currency ~ '^[A-Z]{3}$'),
    owner_id          uuid CONSTRAINT deals_owner_known REFERENCES users (id),
    team_id           uuid CONSTRAINT deals_team_known REFERENCES teams (id),
    stage_entered_at  timestamptz NOT NULL,
    -- When it has been in its stage for too long.
    ages_at           timestamptz,
    version           bigint NOT NULL CHECK (version > 0),
    revision          bigint NOT NULL CHECK (revision > 0),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT deals_stage_of_pipeline FOREIGN KEY (stage_id, stage_key, pipeline_id)
        REFERENCES pipeline_stages (id, key, pipeline_id),
    CONSTRAINT deals_given_amount CHECK (NOT amount_given OR amount IS NOT NULL),
    CONSTRAINT deals_weighted_with_amount CHECK ((amount IS NULL) = (weighted_amount IS NULL)),
    CONSTRAINT deals_next_step_with_date CHECK (next_step_on IS NULL OR next_step IS NOT NULL),
    CONSTRAINT deals_closed_when CHECK ((state = 'open') = (closed_on IS NULL)),
    CONSTRAINT deals_lost_why CHECK ((state = 'lost') = (loss_reason IS NOT NULL)),
    CONSTRAINT deals_base_whole CHECK ((base_amount IS NULL) = (base_currency IS NULL) AND (base_amount IS NULL OR state <> 'open'))
) WITH (fillfactor = 80);
CREATE INDEX deals_by_age ON deals (created_at, id);
CREATE INDEX deals_by_name ON deals (name, id);
CREATE INDEX deals_by_close ON deals (close_key, id);
CREATE INDEX deals_of_customer ON deals (customer_id, created_at, id);
CREATE INDEX deals_by_owner ON deals (owner_id, created_at, id);
CREATE INDEX deals_by_team ON deals (team_id, created_at, id);
CREATE INDEX deals_by_state ON deals (state, created_at, id);
CREATE INDEX deals_by_stage ON deals (pipeline_id, stage_key, created_at, id);
CREATE INDEX deals_of_stage_version ON deals (stage_id) WHERE state = 'open';
CREATE INDEX deals_text ON deals USING gin (name gin_trgm_ops);
-- The board, for those who see all, their own, their team's.
CREATE INDEX deals_board ON deals (pipeline_id, stage_key, close_key, id) WHERE state = 'open';
CREATE INDEX deals_board_of_owner ON deals (owner_id, pipeline_id, stage_key, close_key, id) WHERE state = 'open';
CREATE INDEX deals_board_of_team ON deals (team_id, pipeline_id, stage_key, close_key, id) WHERE state = 'open';
-- The forecast reads nothing but these.
CREATE INDEX deals_open_by_close ON deals (close_key)
    INCLUDE (id, pipeline_id, owner_id, team_id, currency, amount, weighted_amount) WHERE state = 'open';
CREATE INDEX deals_won ON deals (closed_on)
    INCLUDE (id, pipeline_id, owner_id, team_id, base_amount, base_currency) WHERE state = 'won';
CREATE INDEX deals_lost ON deals (closed_on, loss_reason) WHERE state = 'lost';
CREATE INDEX deals_by_next_step ON deals (next_step_on, id) WHERE state = 'open' AND next_step_on IS NOT NULL;
CREATE INDEX deals_ageing ON deals (ages_at, id) WHERE state = 'open' AND ages_at IS NOT NULL;

CREATE TABLE deal_lines (
    id          uuid PRIMARY KEY,
    deal_id     uuid NOT NULL REFERENCES deals,
    position    int NOT NULL CHECK (position > 0),
    -- Of the catalogue's replica, which nobody references.
    product_id  uuid NOT NULL,
    quantity    numeric(14,3) NOT NULL CONSTRAINT deal_lines_quantity_positive CHECK (quantity > 0),
    unit_price  numeric(14,4) CHECK (unit_price >= 0),
    -- Whether somebody named the price; else it came from a price list.
    price_given boolean NOT NULL,
    discount    numeric(5,4) NOT NULL CHECK (discount BETWEEN 0 AND 1),
    line_total  numeric(20,4),
    CONSTRAINT deal_lines_one_per_position UNIQUE (deal_id, position),
    CONSTRAINT deal_lines_total_with_price CHECK ((unit_price IS NULL) = (line_total IS NULL)),
    CONSTRAINT deal_lines_given_price CHECK (NOT price_given OR unit_price IS NOT NULL)
);
CREATE INDEX deal_lines_by_product ON deal_lines (product_id, deal_id);

-- Steps that were completed; a step that is a filled field needs no row to be done.
CREATE TABLE deal_steps (
    deal_id      uuid NOT NULL REFERENCES deals,
    step         text NOT NULL CHECK (step ~ '^[a-z0-9_]{1,40}$'),
    evidence     text NOT NULL CHECK (evidence IN ('logged_call', 'document', 'field')),
    evidence_id  uuid,
    completed_at timestamptz NOT NULL,
    completed_by text NOT NULL,
    PRIMARY KEY (deal_id, step),
    CONSTRAINT deal_steps_evidence_named CHECK ((evidence = 'field') = (evidence_id IS NULL))
);

-- When a deal was in which stage: every entry has one exit, or the deal is still there.
CREATE TABLE deal_stays (
    id         uuid PRIMARY KEY,
    deal_id    uuid NOT NULL REFERENCES deals,
    stage_id   uuid NOT NULL REFERENCES pipeline_stages,
    entered_at timestamptz NOT NULL,
    left_at    timestamptz,
    outcome    text CHECK (outcome IN ('moved', 'remapped', 'won', 'lost')),
    CONSTRAINT deal_stays_left_later CHECK (left_at >= entered_at),
    CONSTRAINT deal_stays_outcome_when_left CHECK ((left_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX deal_stays_one_open ON deal_stays (deal_id) WHERE left_at IS NULL;
CREATE INDEX deal_stays_of_deal ON deal_stays (deal_id, entered_at, id);
CREATE INDEX deal_stays_of_stage ON deal_stays (stage_id, entered_at);

-- An open deal is in one stage, its own, and a closed one in none.
CREATE FUNCTION check_deal_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject uuid := CASE TG_TABLE_NAME WHEN 'deals' THEN NEW.id ELSE (to_jsonb(NEW) ->> 'deal_id')::uuid END;
BEGIN
    IF EXISTS (SELECT FROM deals d
               LEFT JOIN deal_stays s ON s.deal_id = d.id AND s.left_at IS NULL
               WHERE d.id = subject
                 AND CASE d.state WHEN 'open' THEN s.stage_id IS DISTINCT FROM d.stage_id ELSE s.id IS NOT NULL END) THEN
        RAISE EXCEPTION 'the deal % is not where its history says', subject
            USING ERRCODE = '23514', CONSTRAINT = 'deals_one_stay';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER deals_one_stay AFTER INSERT OR UPDATE OF state, stage_id ON deals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_deal_stay();
CREATE CONSTRAINT TRIGGER deal_stays_one_open_stay AFTER INSERT OR UPDATE ON deal_stays
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_deal_stay();

-- What stands in each stage, for the board: counting 100,000 deals at each look would be too slow.
CREATE TABLE open_deal_totals (
    pipeline_id uuid NOT NULL,
    stage_key   text NOT NULL,
    owner_id    uuid,
    team_id     uuid,
    currency    text NOT NULL,
    deals       bigint NOT NULL,
    -- those that have an amount
    valued      bigint NOT NULL,
    amount      numeric(26,4) NOT NULL,
    weighted    numeric(26,4) NOT NULL,
    CONSTRAINT open_deal_totals_key UNIQUE NULLS NOT DISTINCT (pipeline_id, stage_key, owner_id, team_id, currency)
) WITH (fillfactor = 70);

-- Groups are touched in one order, whoever writes, so that nobody waits in a circle; a group that
-- stays as it is is not touched.
CREATE FUNCTION total_open_deals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO open_deal_totals AS t
        SELECT pipeline_id, stage_key, owner_id, team_id, currency,
               count(*), count(amount), coalesce(sum(amount), 0), coalesce(sum(weighted_amount), 0)
        FROM entered WHERE state = 'open'
        GROUP BY pipeline_id, stage_key, owner_id, team_id, currency
        ORDER BY pipeline_id, stage_key, owner_id, team_id, currency
        ON CONFLICT ON CONSTRAINT open_deal_totals_key DO UPDATE
        SET deals = t.deals + excluded.deals, valued = t.valued + excluded.valued,
            amount = t.amount + excluded.amount, weighted = t.weighted + excluded.weighted;
    ELSE
        INSERT INTO open_deal_totals AS t
        SELECT pipeline_id, stage_key, owner_id, team_id, currency, sum(n), sum(v), sum(n * a), sum(n * w)
        FROM (SELECT pipeline_id, stage_key, owner_id, team_id, currency, 1 AS n, (amount IS NOT NULL)::int AS v,
                     coalesce(amount, 0) AS a, coalesce(weighted_amount, 0) AS w FROM entered WHERE state = 'open'
              UNION ALL
              SELECT pipeline_id, stage_key, owner_id, team_id, currency, -1, -(amount IS NOT NULL)::int,
                     coalesce(amount, 0), coalesce(weighted_amount, 0) FROM gone WHERE state = 'open') AS change
        GROUP BY pipeline_id, stage_key, owner_id, team_id, currency
        HAVING sum(n) <> 0 OR sum(v) <> 0 OR sum(n * a) <> 0 OR sum(n * w) <> 0
        ORDER BY pipeline_id, stage_key, owner_id, team_id, currency
        ON CONFLICT ON CONSTRAINT open_deal_totals_key DO UPDATE
        SET deals = t.deals + excluded.deals, valued = t.valued + excluded.valued,
            amount = t.amount + excluded.amount, weighted = t.weighted + excluded.weighted;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER deals_totalled_when_made AFTER INSERT ON deals REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION total_open_deals();
CREATE TRIGGER deals_totalled_when_changed AFTER UPDATE ON deals REFERENCING OLD TABLE AS gone NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION total_open_deals();

-- Deals are closed, never deleted.
CREATE FUNCTION refuse_deal_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'deals are never deleted' USING ERRCODE = '23514', CONSTRAINT = 'deals_stay';
END $$;
CREATE TRIGGER deals_stay BEFORE DELETE ON deals FOR EACH ROW EXECUTE FUNCTION refuse_deal_removal();

-- What a deal may need of which product and when, as it was last told; empty once that is over.
CREATE TABLE soft_demand (
    deal_id     uuid PRIMARY KEY REFERENCES deals,
    customer_id uuid NOT NULL,
    expected_on date,
    probability numeric(5,4) NOT NULL,
    -- [{product_id, quantity, weighted_quantity}]
    lines       json NOT NULL,
    is_empty    boolean NOT NULL,
    version     bigint NOT NULL CHECK (version > 0),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX soft_demand_by_age ON soft_demand (created_at, deal_id);
CREATE INDEX soft_demand_by_date ON soft_demand (expected_on, deal_id) WHERE NOT is_empty;

-- ---- what is there from the beginning ----

INSERT INTO loss_reasons (id, code, name, active, revision, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-0000000001' || lpad(n::text, 2, '0'))::uuid, code, name, true, 1, now(), now()
FROM (VALUES (1, 'price', 'Too expensive'), (2, 'competitor', 'Bought from a competitor'), (3, 'no_budget', 'No budget'),
             (4, 'no_decision', 'No decision, no answer'), (5, 'timing', 'Not now'),
             (6, 'product_fit', 'Does not fit the need'), (7, 'other', 'Another reason')) AS r (n, code, name);

INSERT INTO pipelines (id, name, status, is_default, version, revision, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-000000000200', 'Sales', 'active', true, 1, 1, now(), now());
INSERT INTO pipeline_versions (id, pipeline_id, number, state, created_at)
VALUES ('00000000-0000-7000-8000-000000000201', '00000000-0000-7000-8000-000000000200', 1, 'draft', now());
INSERT INTO pipeline_stages (id, version_id, pipeline_id, position, key, name, probability, ageing_days, next_stages, steps)
SELECT ('00000000-0000-7000-8000-00000000021' || position)::uuid, '00000000-0000-7000-8000-000000000201',
       '00000000-0000-7000-8000-000000000200', position, key, name, probability, ageing_days, next_stages, steps::json
FROM (VALUES
    (1, 'new', 'New', 0.10, 14, ARRAY['qualified'],
     '[{"key":"first_call","name":"First call with the customer","evidence":"logged_call","field":null,"optional":false,"on_loss":false}]'),
    (2, 'qualified', 'Qualified', 0.30, 21, ARRAY['new', 'proposal'],
     '[{"key":"close_date","name":"Expected close date agreed","evidence":"field","field":"expected_close_on","optional":false,"on_loss":false},
       {"key":"decision_maker","name":"Decision maker known","evidence":"field","field":"contact","optional":true,"on_loss":false}]'),
    (3, 'proposal', 'Proposal', 0.50, 30, ARRAY['qualified', 'negotiation'],
     '[{"key":"value","name":"Value known","evidence":"field","field":"amount","optional":false,"on_loss":false},
       {"key":"offer","name":"Offer as a document","evidence":"document","field":null,"optional":true,"on_loss":false}]'),
    (4, 'negotiation', 'Negotiation', 0.80, 21, ARRAY['proposal'],
     '[{"key":"decision_call","name":"Call about the decision","evidence":"logged_call","field":null,"optional":true,"on_loss":false}]')
) AS s (position, key, name, probability, ageing_days, next_stages, steps);
UPDATE pipeline_versions SET state = 'published', published_at = now();
