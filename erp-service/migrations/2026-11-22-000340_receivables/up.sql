-- Payment terms: when an invoice is due. Suppliers use the same ones.
CREATE FUNCTION instalments_make_one(instalments jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_array_length(instalments) = 0
        OR (SELECT sum((i->>'fraction')::numeric) = 1 AND min((i->>'fraction')::numeric) > 0 AND min((i->>'days')::int) >= 0
            FROM jsonb_array_elements(instalments) AS i)
$$;
CREATE TABLE payment_terms (
    id            uuid PRIMARY KEY,
    code          text NOT NULL CONSTRAINT payment_terms_code_unique UNIQUE CHECK (length(code) BETWEEN 1 AND 40),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- Days from the document's date; of the last instalment where there are several.
    net_days      int NOT NULL CHECK (net_days BETWEEN 0 AND 3650),
    -- Due at the end of the month in which the days are over.
    end_of_month  boolean NOT NULL DEFAULT false,
    discount_days int CHECK (discount_days BETWEEN 0 AND 3650),
    discount      numeric(5,4) CHECK (discount > 0 AND discount < 1),
    -- [{fraction, days}]; empty: one payment.
    instalments   jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(instalments) = 'array'),
    status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    revision      bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payment_terms_discount_whole CHECK ((discount IS NULL) = (discount_days IS NULL)),
    CONSTRAINT payment_terms_instalments_make_one CHECK (instalments_make_one(instalments))
);
CREATE INDEX payment_terms_by_age ON payment_terms (created_at, id);
CREATE TRIGGER payment_terms_stay BEFORE DELETE OR TRUNCATE ON payment_terms
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
INSERT INTO payment_terms (id, code, name, net_days) VALUES
    ('00000000-0000-7000-8000-000000000100', 'IMMEDIATE', 'Due at once', 0),
    ('00000000-0000-7000-8000-000000000114', 'NET14', 'Net 14 days', 14),
    ('00000000-0000-7000-8000-000000000130', 'NET30', 'Net 30 days', 30);

ALTER TABLE company
    ADD COLUMN payment_terms_id uuid NOT NULL DEFAULT '00000000-0000-7000-8000-000000000130'
        CONSTRAINT company_payment_terms_id_fkey REFERENCES payment_terms,
    -- Whether tax is due when an advance is received.
    ADD COLUMN tax_on_advances boolean NOT NULL DEFAULT true,
    -- Orders stop when an invoice is overdue by more; absent: never.
    ADD COLUMN overdue_stop_days int CHECK (overdue_stop_days BETWEEN 0 AND 3650);
ALTER TABLE customers
    ADD COLUMN payment_terms_id uuid CONSTRAINT customers_payment_terms_id_fkey REFERENCES payment_terms,
    ADD COLUMN overdue_stop_days int CONSTRAINT customers_overdue_stop_days CHECK (overdue_stop_days BETWEEN 0 AND 3650),
    ADD COLUMN dunning_blocked boolean NOT NULL DEFAULT false;

-- Invoices and credit notes to customers. `status` is derived from what is open of a posted one.
CREATE TABLE invoices (
    id                  uuid PRIMARY KEY,
    kind                text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    number              text CONSTRAINT invoices_number_unique UNIQUE,
    status              text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'posted', 'partially_paid', 'paid', 'credited')),
    customer_id         uuid NOT NULL CONSTRAINT invoices_customer_id_fkey REFERENCES customers,
    -- Orders stay; no foreign key, which would lock the order's row.
    order_id            uuid,
    -- Of a credit note: what it credits, and the return that it is for.
    credited_invoice_id uuid REFERENCES invoices,
    return_id           uuid,
    date                date NOT NULL,
    currency            text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    prices_include_tax  boolean NOT NULL DEFAULT false,
    payment_terms_id    uuid CONSTRAINT invoices_payment_terms_id_fkey REFERENCES payment_terms,
    legal_entity_id     uuid,
    -- Who it is made out to, copied at posting.
    party               jsonb,
    -- Base currency per unit of the document's, at posting.
    exchange_rate       numeric CHECK (exchange_rate > 0),
    -- [{code, rate, net, tax, base_net, base_tax}]
    taxes               jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(taxes) = 'array'),
    net                 numeric(20,4) NOT NULL DEFAULT 0,
    tax                 numeric(20,4) NOT NULL DEFAULT 0,
    gross               numeric(20,4) NOT NULL DEFAULT 0,
    base_gross          numeric(20,4),
    -- Gross of the advances that a final invoice deducts: [{advance_id, gross}].
    advances            jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(advances) = 'array'),
    advances_gross      numeric(20,4) NOT NULL DEFAULT 0,
    -- What is open of its items; negative of a credit note.
    open_amount         numeric(20,4) NOT NULL DEFAULT 0,
    credited_gross      numeric(20,4) NOT NULL DEFAULT 0,
    reason              text CHECK (length(reason) BETWEEN 1 AND 500),
    notes               text CHECK (length(notes) BETWEEN 1 AND 4000),
    external_ref        text CONSTRAINT invoices_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 100),
    department_id       uuid CONSTRAINT invoices_department_id_fkey REFERENCES dimensions,
    project_id          uuid CONSTRAINT invoices_project_id_fkey REFERENCES dimensions,
    -- Absent when everything in it costs nothing.
    entry_id            uuid,
    posted_at           timestamptz,
    version             bigint NOT NULL DEFAULT 1,
    revision            bigint NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CONSTRAINT invoices_posted_whole CHECK (status = 'draft' OR
        (number IS NOT NULL AND party IS NOT NULL AND exchange_rate IS NOT NULL AND base_gross IS NOT NULL AND posted_at IS NOT NULL)),
    CONSTRAINT invoices_draft_plain CHECK (status <> 'draft' OR (number IS NULL AND entry_id IS NULL AND open_amount = 0)),
    CONSTRAINT invoices_gross CHECK (gross = net + tax AND gross >= 0),
    CONSTRAINT invoices_credited_within CHECK (credited_gross BETWEEN 0 AND gross),
    CONSTRAINT invoices_advances_within CHECK (advances_gross BETWEEN 0 AND gross),
    CONSTRAINT invoices_credit_note CHECK (kind = 'credit_note' OR (credited_invoice_id IS NULL AND return_id IS NULL))
);
CREATE INDEX invoices_by_age ON invoices (created_at, id);
CREATE INDEX invoices_by_date ON invoices (date, id);
CREATE INDEX invoices_by_customer ON invoices (customer_id, date, id);
CREATE INDEX invoices_by_status ON invoices (status, date, id);
CREATE INDEX invoices_by_order ON invoices (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX invoices_by_credited ON invoices (credited_invoice_id) WHERE credited_invoice_id IS NOT NULL;

CREATE TABLE invoice_lines (
    id                uuid PRIMARY KEY,
    invoice_id        uuid NOT NULL REFERENCES invoices ON DELETE CASCADE,
    position          int NOT NULL CHECK (position > 0),
    kind              text NOT NULL CHECK (kind IN ('product', 'account', 'charge')),
    order_line_id     uuid,
    charge_id         uuid,
    charge_kind       text CHECK (charge_kind IN ('freight', 'other')),
    delivery_id       uuid,
    product_id        uuid CONSTRAINT invoice_lines_product_id_fkey REFERENCES products,
    -- Where it is posted; by the posting rules unless the line says so.
    account_id        uuid CONSTRAINT invoice_lines_account_id_fkey REFERENCES accounts,
    credited_line_id  uuid REFERENCES invoice_lines,
    description       text NOT NULL CHECK (length(description) BETWEEN 1 AND 500),
    quantity          numeric(14,3) NOT NULL CHECK (quantity >= 0),
    unit              text,
    unit_price        numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    discount          numeric(5,4) NOT NULL DEFAULT 0 CHECK (discount BETWEEN 0 AND 1),
    -- Net, or gross where prices include tax.
    amount            numeric(20,4) NOT NULL CHECK (amount >= 0),
    net               numeric(20,4) NOT NULL,
    base_net          numeric(20,4) NOT NULL DEFAULT 0,
    tax_class         text,
    -- [{code, rate}]
    taxes             jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(taxes) = 'array'),
    tax_point         date,
    department_id     uuid CONSTRAINT invoice_lines_department_id_fkey REFERENCES dimensions,
    project_id        uuid CONSTRAINT invoice_lines_project_id_fkey REFERENCES dimensions,
    -- By posted credit notes.
    credited_quantity numeric(14,3) NOT NULL DEFAULT 0,
    credited_amount   numeric(20,4) NOT NULL DEFAULT 0,
    credited_net      numeric(20,4) NOT NULL DEFAULT 0,
    credited_base_net numeric(20,4) NOT NULL DEFAULT 0,
    CONSTRAINT invoice_lines_position_unique UNIQUE (invoice_id, position),
    CONSTRAINT invoice_lines_credited_within CHECK (
        credited_quantity BETWEEN 0 AND quantity AND credited_amount BETWEEN 0 AND amount)
);
CREATE INDEX invoice_lines_by_order_line ON invoice_lines (order_line_id) WHERE order_line_id IS NOT NULL;
CREATE INDEX invoice_lines_by_delivery ON invoice_lines (delivery_id) WHERE delivery_id IS NOT NULL;

-- A posted document stays; what is paid and credited of it is noted on it.
CREATE FUNCTION refuse_posted_invoice_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    notes text[] := '{status,open_amount,credited_gross,version,revision,updated_at}';
BEGIN
    IF OLD.status <> 'draft' AND (TG_OP = 'DELETE' OR NEW.status = 'draft' OR to_jsonb(NEW) - notes <> to_jsonb(OLD) - notes) THEN
        RAISE EXCEPTION 'a posted document is immutable' USING ERRCODE = '23514', CONSTRAINT = 'invoices_posted_immutable';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoices_posted_immutable BEFORE UPDATE OR DELETE ON invoices
    FOR EACH ROW EXECUTE FUNCTION refuse_posted_invoice_change();
CREATE TRIGGER invoices_stay BEFORE TRUNCATE ON invoices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION refuse_posted_invoice_line_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    notes text[] := '{credited_quantity,credited_amount,credited_net,credited_base_net}';
BEGIN
    IF (SELECT status <> 'draft' FROM invoices WHERE id = OLD.invoice_id)
       AND (TG_OP = 'DELETE' OR to_jsonb(NEW) - notes <> to_jsonb(OLD) - notes) THEN
        RAISE EXCEPTION 'a posted document is immutable' USING ERRCODE = '23514', CONSTRAINT = 'invoices_posted_immutable';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER invoice_lines_posted_immutable BEFORE UPDATE OR DELETE ON invoice_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_posted_invoice_line_change();

-- Prepayments: a request for money before the invoice, which posts nothing, and the advances that came for it.
CREATE TABLE prepayments (
    id             uuid PRIMARY KEY,
    number         text NOT NULL CONSTRAINT prepayments_number_unique UNIQUE,
    status         text NOT NULL CHECK (status IN ('requested', 'partially_received', 'received', 'cancelled')),
    customer_id    uuid NOT NULL REFERENCES customers,
    order_id       uuid NOT NULL,
    date           date NOT NULL,
    due_on         date NOT NULL,
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    gross          numeric(20,4) NOT NULL CHECK (gross > 0),
    received_gross numeric(20,4) NOT NULL DEFAULT 0,
    notes          text CHECK (length(notes) BETWEEN 1 AND 4000),
    external_ref   text CONSTRAINT prepayments_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 100),
    reason         text CHECK (length(reason) BETWEEN 1 AND 500),
    version        bigint NOT NULL DEFAULT 1,
    revision       bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT prepayments_received_within CHECK (received_gross BETWEEN 0 AND gross)
);
CREATE INDEX prepayments_by_age ON prepayments (created_at, id);
CREATE INDEX prepayments_by_order ON prepayments (order_id);
CREATE INDEX prepayments_by_customer ON prepayments (customer_id, created_at, id);
CREATE TRIGGER prepayments_stay BEFORE DELETE OR TRUNCATE ON prepayments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE advances (
    id            uuid PRIMARY KEY,
    prepayment_id uuid NOT NULL REFERENCES prepayments,
    customer_id   uuid NOT NULL,
    order_id      uuid NOT NULL,
    -- What brought the money.
    document_type text NOT NULL,
    document_id   uuid NOT NULL,
    received_on   date NOT NULL,
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    gross         numeric(20,4) NOT NULL CHECK (gross > 0),
    -- [{code, rate, net, tax, base_net, base_tax}]: as taxed when it came, and what no invoice has taken off yet.
    taxes         jsonb NOT NULL DEFAULT '[]',
    taxes_open    jsonb NOT NULL DEFAULT '[]',
    -- The advance without its tax.
    item_id       uuid NOT NULL REFERENCES open_items,
    -- Gross that no invoice has cleared; it lowers the exposure.
    open_gross    numeric(20,4) NOT NULL,
    entry_id      uuid NOT NULL,
    -- Given back as a credit that can be refunded.
    cancelled_on  date,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT advances_open_within CHECK (open_gross BETWEEN 0 AND gross)
);
CREATE INDEX advances_open ON advances (customer_id) INCLUDE (open_gross, currency) WHERE open_gross <> 0;
CREATE INDEX advances_by_order ON advances (order_id);
CREATE INDEX advances_by_prepayment ON advances (prepayment_id);
CREATE INDEX advances_by_document ON advances (document_id);
CREATE TRIGGER advances_stay BEFORE DELETE OR TRUNCATE ON advances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
