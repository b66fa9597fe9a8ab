-- Replicas of the ERP's invoices, credit notes and customer payments. What is looked for has a column; the document
-- as it was told is one JSON value. An order or a credited invoice need not be known here yet.

CREATE TABLE invoices (
    id             uuid PRIMARY KEY,
    customer_id    uuid NOT NULL REFERENCES customers (id),
    order_id       uuid,
    kind           text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    status         text NOT NULL CHECK (status IN ('posted', 'partially_paid', 'paid', 'credited')),
    number         text,
    date           date NOT NULL,
    -- when the next open part is due; NULL when nothing is open
    due_on         date,
    is_open        boolean NOT NULL,
    document       json NOT NULL,
    source_version bigint NOT NULL CHECK (source_version >= 0),
    as_of          timestamptz NOT NULL,
    revision       bigint NOT NULL CHECK (revision > 0),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX invoices_by_date ON invoices (date, id);
CREATE INDEX invoices_by_age ON invoices (created_at, id);
CREATE INDEX invoices_of_customer ON invoices (customer_id, date, id);
CREATE INDEX invoices_of_order ON invoices (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX invoices_by_number ON invoices (number);
CREATE INDEX invoices_due ON invoices (due_on) WHERE due_on IS NOT NULL;

CREATE TABLE payments (
    id             uuid PRIMARY KEY,
    customer_id    uuid NOT NULL REFERENCES customers (id),
    direction      text NOT NULL CHECK (direction IN ('in', 'out')),
    status         text NOT NULL CHECK (status IN ('posted', 'reversed')),
    number         text,
    date           date NOT NULL,
    -- whether something of it is not allocated
    is_open        boolean NOT NULL,
    document       json NOT NULL,
    source_version bigint NOT NULL CHECK (source_version >= 0),
    as_of          timestamptz NOT NULL,
    revision       bigint NOT NULL CHECK (revision > 0),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX payments_by_date ON payments (date, id);
CREATE INDEX payments_by_age ON payments (created_at, id);
CREATE INDEX payments_of_customer ON payments (customer_id, date, id);
CREATE INDEX payments_by_number ON payments (number);

-- What the ERP knows of a customer's balance beside its terms.
ALTER TABLE customer_credits
    ADD COLUMN credit_hold_reason text,
    ADD COLUMN blocked_reason     text,
    ADD COLUMN exposure           numeric(22, 4),
    ADD COLUMN exposure_parts     json,
    ADD COLUMN open_balance       numeric(22, 4),
    ADD COLUMN overdue_days       bigint CHECK (overdue_days >= 0);
