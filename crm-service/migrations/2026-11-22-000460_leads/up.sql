-- Leads: how each came, by which rules it is scored and assigned, and what it became.

CREATE TABLE lead_forms (
    id              uuid PRIMARY KEY,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- Public: it stands in the page that shows the form.
    key             text NOT NULL CHECK (key ~ '^[A-Za-z0-9_-]{1,60}$'),
    -- [{name, label, required}]
    fields          json NOT NULL,
    allowed_origins text[] NOT NULL,
    -- A field that people do not see: whoever fills it is none.
    honeypot        text CHECK (honeypot ~ '^[a-z][a-z0-9_]{0,39}$'),
    source          text NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    campaign        text CHECK (length(campaign) BETWEEN 1 AND 200),
    -- Submissions of one address in an hour.
    hourly_limit    int NOT NULL CHECK (hourly_limit BETWEEN 1 AND 1000),
    active          boolean NOT NULL,
    revision        bigint NOT NULL CHECK (revision > 0),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT lead_forms_key_key UNIQUE (key)
);
CREATE INDEX lead_forms_by_name ON lead_forms (name, id);

CREATE TABLE lead_scoring_rules (
    id         uuid PRIMARY KEY,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    condition  text NOT NULL CHECK (length(condition) BETWEEN 1 AND 4000),
    points     int NOT NULL CHECK (points BETWEEN -1000 AND 1000 AND points <> 0),
    active     boolean NOT NULL,
    revision   bigint NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT lead_scoring_rules_name_key UNIQUE (name)
);
CREATE INDEX lead_scoring_rules_by_age ON lead_scoring_rules (created_at, id);

CREATE TABLE lead_assignment_rules (
    id              uuid PRIMARY KEY,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- The first that fits decides.
    position        int NOT NULL CHECK (position BETWEEN 1 AND 10000),
    condition       text CHECK (length(condition) BETWEEN 1 AND 4000),
    countries       text[] NOT NULL,
    postal_prefixes text[] NOT NULL,
    regions         text[] NOT NULL,
    method          text NOT NULL CHECK (method IN ('round_robin', 'by_load')),
    members         uuid[] NOT NULL CHECK (cardinality(members) BETWEEN 1 AND 200),
    -- Whose turn was last; changes under the row's lock.
    last_member     uuid,
    active          boolean NOT NULL,
    revision        bigint NOT NULL CHECK (revision > 0),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT lead_assignment_rules_name_key UNIQUE (name)
);
CREATE INDEX lead_assignment_rules_in_order ON lead_assignment_rules (position, id);

CREATE TABLE leads (
    id                  uuid PRIMARY KEY,
    -- The company, else the person, else how to reach them.
    label               text NOT NULL CHECK (length(label) BETWEEN 1 AND 300),
    name                text CHECK (length(name) BETWEEN 1 AND 200),
    company             text CHECK (length(company) BETWEEN 1 AND 200),
    job_title           text CHECK (length(job_title) BETWEEN 1 AND 200),
    email               text,
    phone               text CHECK (length(phone) BETWEEN 1 AND 50),
    country             text CHECK (country ~ '^[A-Z]{2}$'),
    postal_code         text CHECK (length(postal_code) BETWEEN 1 AND 20),
    region              text CHECK (length(region) BETWEEN 1 AND 100),
    city                text CHECK (length(city) BETWEEN 1 AND 100),
    message             text CHECK (length(message) BETWEEN 1 AND 5000),
    custom_fields       jsonb NOT NULL DEFAULT '{}',
    -- By these somebody is known again.
    email_key           text,
    phone_key           text,
    state               text NOT NULL CHECK (state IN ('new', 'working', 'qualified', 'disqualified', 'converted')),
    disqualified_reason text CHECK (disqualified_reason IN
        ('no_need', 'no_budget', 'not_reachable', 'wrong_contact', 'competitor', 'duplicate', 'spam', 'other')),
    disqualified_note   text CHECK (length(disqualified_note) BETWEEN 1 AND 1000),
    source              text CHECK (length(source) BETWEEN 1 AND 200),
    campaign            text CHECK (length(campaign) BETWEEN 1 AND 200),
    form_id             uuid REFERENCES lead_forms,
    score               int NOT NULL,
    -- [{rule_id, name, points}]
    score_parts         json NOT NULL,
    touch_count         int NOT NULL CHECK (touch_count > 0),
    last_touch_at       timestamptz NOT NULL,
    owner_id            uuid CONSTRAINT leads_owner_known REFERENCES users (id),
    team_id             uuid CONSTRAINT leads_team_known REFERENCES teams (id),
    -- The rule that chose the owner.
    assigned_by         uuid REFERENCES lead_assignment_rules,
    customer_id         uuid REFERENCES customers,
    contact_id          uuid,
    deal_id             uuid REFERENCES deals,
    converted_at        timestamptz,
    version             bigint NOT NULL CHECK (version > 0),
    revision            bigint NOT NULL CHECK (revision > 0),
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CONSTRAINT leads_disqualified_why CHECK ((state = 'disqualified') = (disqualified_reason IS NOT NULL)),
    CONSTRAINT leads_converted_once CHECK ((state = 'converted') = (converted_at IS NOT NULL)
                                           AND (state = 'converted') = (customer_id IS NOT NULL)),
    CONSTRAINT leads_deal_key UNIQUE (deal_id)
) WITH (fillfactor = 80);
CREATE INDEX leads_by_age ON leads (created_at, id);
CREATE INDEX leads_by_label ON leads (label, id);
CREATE INDEX leads_by_score ON leads (score, id);
CREATE INDEX leads_by_touch ON leads (last_touch_at, id);
CREATE INDEX leads_by_owner ON leads (owner_id, created_at, id);
CREATE INDEX leads_by_team ON leads (team_id, created_at, id);
CREATE INDEX leads_by_state ON leads (state, created_at, id);
CREATE INDEX leads_of_customer ON leads (customer_id, created_at, id);
CREATE INDEX leads_by_email ON leads (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX leads_by_phone ON leads (phone_key) WHERE phone_key IS NOT NULL;
CREATE INDEX leads_load ON leads (owner_id, state);
CREATE INDEX leads_custom_fields ON leads USING gin (custom_fields jsonb_path_ops);
CREATE INDEX leads_text ON leads USING gin
    ((coalesce(name, '') || ' ' || coalesce(company, '') || ' ' || coalesce(email, '') || ' ' || coalesce(phone, ''))
     gin_trgm_ops);

-- A converted lead is what it became; none is deleted.
CREATE FUNCTION refuse_lead_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'leads are never deleted' USING ERRCODE = '23514', CONSTRAINT = 'leads_stay';
    END IF;
    IF OLD.state = 'converted' AND (NEW.state, NEW.deal_id) IS DISTINCT FROM (OLD.state, OLD.deal_id) THEN
        RAISE EXCEPTION 'the lead is converted' USING ERRCODE = '23514', CONSTRAINT = 'leads_stay_converted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER leads_stay BEFORE UPDATE OR DELETE ON leads FOR EACH ROW EXECUTE FUNCTION refuse_lead_change();
CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON leads
    FOR EACH ROW WHEN (NEW.customer_id IS NOT NULL) EXECUTE FUNCTION refuse_merged_customer();

-- What a form was sent, as it came.
CREATE TABLE lead_submissions (
    id           uuid PRIMARY KEY,
    form_id      uuid NOT NULL REFERENCES lead_forms,
    lead_id      uuid REFERENCES leads,
    spam         boolean NOT NULL,
    fields       json NOT NULL,
    origin       text CHECK (length(origin) <= 300),
    -- SHA-256 of form and address: enough to count by.
    address_hash bytea NOT NULL,
    revision     bigint NOT NULL CHECK (revision > 0),
    received_at  timestamptz NOT NULL,
    CONSTRAINT lead_submissions_lead_or_spam CHECK (spam = (lead_id IS NULL))
);
CREATE INDEX lead_submissions_of_form ON lead_submissions (form_id, received_at, id);
CREATE INDEX lead_submissions_of_address ON lead_submissions (form_id, address_hash, received_at);
CREATE INDEX lead_submissions_of_lead ON lead_submissions (lead_id);

-- Each time that somebody came to us.
CREATE TABLE lead_touches (
    id            uuid PRIMARY KEY,
    lead_id       uuid NOT NULL REFERENCES leads,
    occurred_at   timestamptz NOT NULL,
    form_id       uuid REFERENCES lead_forms,
    submission_id uuid CONSTRAINT lead_touches_one_of_submission UNIQUE REFERENCES lead_submissions
        DEFERRABLE INITIALLY DEFERRED,
    source        text CHECK (length(source) BETWEEN 1 AND 200),
    campaign      text CHECK (length(campaign) BETWEEN 1 AND 200),
    utm_source    text,
    utm_medium    text,
    utm_campaign  text,
    utm_term      text,
    utm_content   text,
    referrer      text,
    landing_page  text,
    message       text,
    -- Answers to what a form asks beyond what a lead has.
    answers       json NOT NULL
);
CREATE INDEX lead_touches_of_lead ON lead_touches (lead_id, occurred_at, id);
