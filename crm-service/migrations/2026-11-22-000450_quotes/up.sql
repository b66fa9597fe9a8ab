-- Quotes: what a customer is offered, in versions. What was sent stays as it was sent.

-- The language that a customer is written to in.
ALTER TABLE customers ADD COLUMN language text CONSTRAINT customers_language_check CHECK (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$');

-- How much below the list price somebody may offer without being asked: a user's own limit before the
-- role's, that before the one of everybody.
CREATE TABLE discount_limits (
    id           uuid PRIMARY KEY,
    role         text CHECK (length(role) BETWEEN 1 AND 60),
    user_id      uuid CONSTRAINT discount_limits_user_known REFERENCES users,
    max_discount numeric(5,4) NOT NULL CHECK (max_discount BETWEEN 0 AND 1),
    revision     bigint NOT NULL CHECK (revision > 0),
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT discount_limits_one_subject CHECK (num_nonnulls(role, user_id) <= 1),
    CONSTRAINT discount_limits_key UNIQUE NULLS NOT DISTINCT (role, user_id)
);
CREATE INDEX discount_limits_by_age ON discount_limits (created_at, id);

CREATE TABLE quote_templates (
    id         uuid PRIMARY KEY,
    language   text NOT NULL CHECK (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    revision   bigint NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT quote_templates_language_key UNIQUE (language)
);
CREATE INDEX quote_templates_by_age ON quote_templates (created_at, id);

CREATE TABLE quote_template_versions (
    id           uuid PRIMARY KEY,
    template_id  uuid NOT NULL REFERENCES quote_templates,
    number       int NOT NULL CHECK (number > 0),
    state        text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    html         text NOT NULL,
    published_at timestamptz,
    created_at   timestamptz NOT NULL,
    CONSTRAINT quote_template_versions_number_key UNIQUE (template_id, number),
    CONSTRAINT quote_template_versions_published_when CHECK ((state = 'draft') = (published_at IS NULL))
);
CREATE UNIQUE INDEX quote_template_versions_one_draft ON quote_template_versions (template_id) WHERE state = 'draft';
CREATE UNIQUE INDEX quote_template_versions_one_published ON quote_template_versions (template_id) WHERE state = 'published';

CREATE FUNCTION refuse_published_template_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'draft' AND (NEW.html, NEW.number, NEW.template_id) IS DISTINCT FROM (OLD.html, OLD.number, OLD.template_id) THEN
        RAISE EXCEPTION 'the version is published' USING ERRCODE = '23514', CONSTRAINT = 'quote_template_versions_published';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quote_template_versions_published BEFORE UPDATE ON quote_template_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_published_template_change();

CREATE SEQUENCE quote_numbers;

-- One row is one version of a quote; `root_id` is the first one.
CREATE TABLE quotes (
    id                uuid PRIMARY KEY,
    root_id           uuid NOT NULL REFERENCES quotes,
    version_number    int NOT NULL CHECK (version_number > 0),
    supersedes_id     uuid REFERENCES quotes,
    superseded_by     uuid REFERENCES quotes DEFERRABLE INITIALLY DEFERRED,
    -- Drawn when the first version is sent; all versions share it.
    number            text,
    title             text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    state             text NOT NULL CHECK (state IN ('draft', 'in_approval', 'sent', 'accepted', 'declined', 'expired', 'superseded')),
    customer_id       uuid NOT NULL CONSTRAINT quotes_customer_known REFERENCES customers,
    -- Not a reference: a contact may be removed from the customer.
    contact_id        uuid,
    deal_id           uuid REFERENCES deals,
    currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- null: the customer's
    language          text CHECK (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
    -- Last day, in the company's time zone.
    valid_until       date NOT NULL,
    requested_date    date,
    introduction      text,
    terms             text,
    net               numeric(20,4) NOT NULL,
    -- The largest of its lines, below the list price.
    greatest_discount numeric(5,4) NOT NULL CHECK (greatest_discount BETWEEN 0 AND 1),
    -- Everybody who wrote its content: none of them approves it.
    makers            uuid[] NOT NULL,
    content_hash      text CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    sent_at           timestamptz,
    sent_by           text,
    decided_at        timestamptz,
    decision_note     text,
    order_id          uuid CONSTRAINT quotes_order_key UNIQUE REFERENCES orders,
    owner_id          uuid CONSTRAINT quotes_owner_known REFERENCES users,
    team_id           uuid CONSTRAINT quotes_team_known REFERENCES teams,
    version           bigint NOT NULL CHECK (version > 0),
    revision          bigint NOT NULL CHECK (revision > 0),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT quotes_version_key UNIQUE (root_id, version_number),
    CONSTRAINT quotes_number_key UNIQUE (number, version_number),
    CONSTRAINT quotes_first_is_root CHECK ((version_number = 1) = (supersedes_id IS NULL) AND (version_number > 1 OR root_id = id)),
    CONSTRAINT quotes_sent_whole CHECK ((state IN ('draft', 'in_approval')) = (sent_at IS NULL)
        AND (sent_at IS NULL) = (content_hash IS NULL) AND (sent_at IS NULL) = (sent_by IS NULL)),
    CONSTRAINT quotes_accepted_ordered CHECK ((state = 'accepted') = (order_id IS NOT NULL)),
    CONSTRAINT quotes_superseded CHECK (state <> 'superseded' OR superseded_by IS NOT NULL),
    CONSTRAINT quotes_not_open_when_superseded CHECK (superseded_by IS NULL OR state IN ('declined', 'expired', 'superseded'))
);
-- What the customer has in hand, or is about to get: one version at a time.
CREATE UNIQUE INDEX quotes_one_open ON quotes (root_id) WHERE state IN ('draft', 'in_approval', 'sent');
CREATE UNIQUE INDEX quotes_one_accepted ON quotes (root_id) WHERE state = 'accepted';
CREATE INDEX quotes_by_age ON quotes (created_at, id);
CREATE INDEX quotes_by_owner ON quotes (owner_id, created_at, id);
CREATE INDEX quotes_by_team ON quotes (team_id, created_at, id);
CREATE INDEX quotes_by_customer ON quotes (customer_id, created_at, id);
CREATE INDEX quotes_by_deal ON quotes (deal_id, created_at, id) WHERE deal_id IS NOT NULL;
CREATE INDEX quotes_by_state ON quotes (state, created_at, id);
CREATE INDEX quotes_by_validity ON quotes (valid_until, id);
CREATE INDEX quotes_by_value ON quotes (net, id);
CREATE INDEX quotes_to_expire ON quotes (valid_until, id) WHERE state = 'sent';
CREATE INDEX quotes_by_text ON quotes USING gin ((coalesce(number, '') || ' ' || title) gin_trgm_ops);

CREATE TABLE quote_lines (
    id          uuid PRIMARY KEY,
    quote_id    uuid NOT NULL REFERENCES quotes,
    position    int NOT NULL CHECK (position > 0),
    -- Not a reference: the catalogue is a replica. What the line shows of the product is kept with it.
    product_id  uuid NOT NULL,
    sku         text NOT NULL,
    name        text NOT NULL,
    unit        text NOT NULL,
    quantity    numeric(14,3) NOT NULL CONSTRAINT quote_lines_quantity_positive CHECK (quantity > 0),
    unit_price  numeric(14,4) CHECK (unit_price >= 0),
    -- Whether somebody named the price; else it came from a price list.
    price_given boolean NOT NULL,
    list_price  numeric(14,4) CHECK (list_price >= 0),
    discount    numeric(5,4) NOT NULL CHECK (discount BETWEEN 0 AND 1),
    line_total  numeric(20,4),
    -- Which price of which list the list price is.
    price_trace json,
    CONSTRAINT quote_lines_one_per_position UNIQUE (quote_id, position),
    CONSTRAINT quote_lines_total_with_price CHECK ((unit_price IS NULL) = (line_total IS NULL)),
    CONSTRAINT quote_lines_list_price_traced CHECK ((list_price IS NULL) = (price_trace IS NULL))
);

CREATE TABLE quote_approvals (
    id              uuid PRIMARY KEY,
    quote_id        uuid NOT NULL REFERENCES quotes,
    state           text NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'withdrawn')),
    -- Of what was shown to the approver: an approval is for that and nothing else.
    content_hash    text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    discount        numeric(5,4) NOT NULL,
    note            text,
    requested_by_id uuid NOT NULL,
    requested_by    text NOT NULL,
    requested_at    timestamptz NOT NULL,
    decided_by_id   uuid,
    decided_by      text,
    decided_at      timestamptz,
    decision_note   text,
    CONSTRAINT quote_approvals_decided CHECK ((state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by_id IS NULL)),
    CONSTRAINT quote_approvals_two_people CHECK (state <> 'approved' OR decided_by_id <> requested_by_id)
);
CREATE UNIQUE INDEX quote_approvals_one_open ON quote_approvals (quote_id) WHERE state = 'open';
CREATE INDEX quote_approvals_of_quote ON quote_approvals (quote_id, requested_at, id);

-- The document that a quote was sent with.
CREATE TABLE quote_documents (
    quote_id         uuid PRIMARY KEY REFERENCES quotes,
    html             text NOT NULL,
    sha256           text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    language         text NOT NULL,
    -- null: the built-in one
    template_id      uuid REFERENCES quote_templates,
    template_version int,
    created_at       timestamptz NOT NULL
);

-- Who owns it, whose customer it is after a merge and what became of it changes; what was promised does not.
CREATE FUNCTION refuse_sent_quote_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.sent_at IS NOT NULL
        AND (NEW.id, NEW.root_id, NEW.version_number, NEW.supersedes_id, NEW.number, NEW.title, NEW.contact_id, NEW.currency,
             NEW.language, NEW.valid_until, NEW.requested_date, NEW.introduction, NEW.terms, NEW.net, NEW.greatest_discount,
             NEW.content_hash, NEW.sent_at, NEW.sent_by)
        IS DISTINCT FROM
            (OLD.id, OLD.root_id, OLD.version_number, OLD.supersedes_id, OLD.number, OLD.title, OLD.contact_id, OLD.currency,
             OLD.language, OLD.valid_until, OLD.requested_date, OLD.introduction, OLD.terms, OLD.net, OLD.greatest_discount,
             OLD.content_hash, OLD.sent_at, OLD.sent_by) THEN
        RAISE EXCEPTION 'a sent quote does not change' USING ERRCODE = '23514', CONSTRAINT = 'quotes_sent_stay';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quotes_sent_stay BEFORE UPDATE ON quotes FOR EACH ROW EXECUTE FUNCTION refuse_sent_quote_change();

CREATE FUNCTION refuse_sent_quote_line_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sent_at FROM quotes WHERE id = coalesce(NEW.quote_id, OLD.quote_id)) IS NOT NULL THEN
        RAISE EXCEPTION 'a sent quote does not change' USING ERRCODE = '23514', CONSTRAINT = 'quote_lines_sent_stay';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER quote_lines_sent_stay BEFORE INSERT OR UPDATE OR DELETE ON quote_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_sent_quote_line_change();

CREATE FUNCTION refuse_quote_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% stay as they are', TG_TABLE_NAME USING ERRCODE = '23514', CONSTRAINT = TG_TABLE_NAME || '_stay';
END $$;
CREATE TRIGGER quotes_stay BEFORE DELETE ON quotes FOR EACH ROW EXECUTE FUNCTION refuse_quote_removal();
CREATE TRIGGER quote_documents_stay BEFORE UPDATE OR DELETE ON quote_documents FOR EACH ROW EXECUTE FUNCTION refuse_quote_removal();

CREATE TRIGGER customer_not_merged AFTER INSERT OR UPDATE OF customer_id ON quotes
    FOR EACH ROW EXECUTE FUNCTION refuse_merged_customer();

-- The order that a quote was accepted with: its prices are promises.
ALTER TABLE orders ADD COLUMN quote_id uuid CONSTRAINT orders_quote_key UNIQUE REFERENCES quotes;

INSERT INTO discount_limits (id, role, user_id, max_discount, revision, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-00000000030' || n)::uuid, role, NULL, max_discount, 1, now(), now()
FROM (VALUES (1, NULL, 0.10), (2, 'sales_manager', 0.30), (3, 'admin', 1)) AS l (n, role, max_discount);
