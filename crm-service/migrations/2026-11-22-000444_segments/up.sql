-- What customers are sorted by, and the segments that they are in.

-- The rule of `currencies::rate`: what a unit of a currency was worth in the company's on a day; nothing
-- when there is no rate of the last seven days.
CREATE FUNCTION rate_of_pair(one text, other text, on_day date, OUT rate numeric, OUT rated_on date)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN r.reference = one THEN r.rate ELSE 1::numeric(40, 28) / r.rate END, r.rated_on
    FROM exchange_rates r
    WHERE r.pair = least(one COLLATE "C", other COLLATE "C") || greatest(one COLLATE "C", other COLLATE "C")
      AND r.rated_on BETWEEN on_day - 7 AND on_day
    ORDER BY r.rated_on DESC LIMIT 1
$$;
CREATE FUNCTION rate_to_base(of_currency text, on_day date) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN of_currency = c.base_currency THEN 1 ELSE (
        SELECT found.rate FROM (
            SELECT d.rate, d.rated_on, 1 AS choice FROM rate_of_pair(of_currency, c.base_currency, on_day) d
            UNION ALL
            SELECT t.rate::numeric(50, 28) / f.rate, least(t.rated_on, f.rated_on), 2
            FROM rate_of_pair(c.reference_currency, c.base_currency, on_day) t,
                 rate_of_pair(c.reference_currency, of_currency, on_day) f
            WHERE c.reference_currency NOT IN (of_currency, c.base_currency)) AS found
        WHERE found.rate IS NOT NULL ORDER BY found.rated_on DESC, found.choice LIMIT 1) END
    FROM company c
$$;

-- What the card of a customer shows.
CREATE INDEX activities_done_with_customer ON activities (customer_id, done_at DESC, id DESC) WHERE state = 'done';
CREATE INDEX orders_open_of_customer ON orders (customer_id, order_date, id)
    WHERE status IN ('draft', 'submitted', 'accepted', 'on_hold', 'partially_delivered');
CREATE INDEX invoices_unpaid_of_customer ON invoices (customer_id, due_on, id) WHERE is_open AND kind = 'invoice';
CREATE INDEX deals_open_of_customer ON deals (customer_id, close_key, id) WHERE state = 'open';

CREATE TABLE segments (
    id           uuid PRIMARY KEY,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    description  text CHECK (length(description) BETWEEN 1 AND 1000),
    kind         text NOT NULL CHECK (kind IN ('static', 'rule')),
    status       text NOT NULL CHECK (status IN ('active', 'archived')),
    -- the version in force
    rule_version int,
    -- how far its members are brought up to date: done, when again, or in the middle of it
    refreshed_at timestamptz,
    due_at       timestamptz,
    refresh_day  date,
    refresh_from uuid,
    -- why that is not possible any more
    fault        text,
    revision     bigint NOT NULL CHECK (revision > 0),
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT segments_rule_whole CHECK ((kind = 'rule') = (rule_version IS NOT NULL)),
    CONSTRAINT segments_refresh_whole CHECK (refresh_from IS NULL OR refresh_day IS NOT NULL)
);
CREATE UNIQUE INDEX segments_name_key ON segments (lower(name));
CREATE INDEX segments_by_age ON segments (created_at, id);
CREATE INDEX segments_by_name ON segments (name, id);
CREATE INDEX segments_due ON segments (due_at) WHERE kind = 'rule' AND status = 'active' AND due_at IS NOT NULL;

-- Each version of a rule, for ever.
CREATE TABLE segment_rules (
    segment_id uuid NOT NULL CONSTRAINT segment_rules_segment_known REFERENCES segments (id),
    version    int NOT NULL CHECK (version > 0),
    rule       text NOT NULL CHECK (length(rule) BETWEEN 1 AND 4000),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (segment_id, version)
);

-- Who is in a segment, and was.
CREATE TABLE segment_members (
    id              uuid PRIMARY KEY,
    segment_id      uuid NOT NULL CONSTRAINT segment_members_segment_known REFERENCES segments (id),
    customer_id     uuid NOT NULL CONSTRAINT segment_members_customer_known REFERENCES customers (id),
    entered_at      timestamptz NOT NULL,
    left_at         timestamptz,
    -- the versions of the rule that let it in, that kept it last, and that let it go
    entered_version int,
    rule_version    int,
    left_version    int,
    -- what each condition of `rule_version` looked at when that was first found
    seen            jsonb,
    added_by        text,
    CONSTRAINT segment_members_leave_later CHECK (left_at >= entered_at)
);
CREATE UNIQUE INDEX segment_members_once ON segment_members (segment_id, customer_id) WHERE left_at IS NULL;
CREATE INDEX segment_members_by_entry ON segment_members (segment_id, entered_at, id);
CREATE INDEX segment_members_of_customer ON segment_members (customer_id, segment_id, entered_at);
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON segment_members
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();
