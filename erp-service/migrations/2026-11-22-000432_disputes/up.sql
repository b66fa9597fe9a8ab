-- What a customer does not agree with: while it is disputed, an item is not reminded of.
CREATE TABLE disputes (
    id              uuid PRIMARY KEY,
    status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'lifted')),
    open_item_id    uuid NOT NULL REFERENCES open_items,
    customer_id     uuid NOT NULL,
    document_type   text NOT NULL,
    document_id     uuid NOT NULL,
    document_number text,
    instalment      smallint NOT NULL,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- What was open when it was raised.
    amount          numeric(20,4) NOT NULL CHECK (amount > 0),
    reason          text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    raised_on       date NOT NULL,
    lifted_on       date,
    lifted_reason   text CHECK (length(lifted_reason) BETWEEN 1 AND 500),
    version         bigint NOT NULL DEFAULT 1,
    revision        bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT disputes_lifted_whole CHECK ((status = 'lifted') = (lifted_on IS NOT NULL) AND (lifted_on IS NULL) = (lifted_reason IS NULL)),
    CONSTRAINT disputes_in_order CHECK (lifted_on >= raised_on)
);
CREATE UNIQUE INDEX disputes_one_open ON disputes (open_item_id) WHERE status = 'open';
CREATE INDEX disputes_by_age ON disputes (created_at, id);
CREATE INDEX disputes_by_item ON disputes (open_item_id, raised_on);
CREATE INDEX disputes_by_customer ON disputes (customer_id, created_at, id);
CREATE TRIGGER disputes_stay BEFORE DELETE OR TRUNCATE ON disputes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
