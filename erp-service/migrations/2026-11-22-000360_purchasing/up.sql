-- Suppliers and what they ask for a product. This service is the master of both.

CREATE TABLE suppliers (
    id               uuid PRIMARY KEY,
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    legal_name       text CHECK (length(legal_name) BETWEEN 1 AND 200),
    tax_id           text CHECK (length(tax_id) BETWEEN 1 AND 60),
    tax_class        text CHECK (length(tax_class) BETWEEN 1 AND 60),
    email            text CHECK (length(email) BETWEEN 3 AND 200),
    phone            text CHECK (length(phone) BETWEEN 1 AND 60),
    addresses        jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(addresses) = 'array'),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_terms_id uuid,
    iban             text CHECK (length(iban) BETWEEN 5 AND 34),
    bic              text CHECK (length(bic) BETWEEN 8 AND 11),
    lead_time_days   integer NOT NULL DEFAULT 0 CONSTRAINT suppliers_lead_time CHECK (lead_time_days BETWEEN 0 AND 3650),
    status           text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'archived')),
    external_ref     text CONSTRAINT suppliers_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    version          bigint NOT NULL DEFAULT 1,
    revision         bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX suppliers_by_name ON suppliers (name, id);
CREATE INDEX suppliers_by_age ON suppliers (created_at, id);
CREATE TRIGGER suppliers_stay BEFORE DELETE OR TRUNCATE ON suppliers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE supplier_prices (
    id               uuid PRIMARY KEY,
    supplier_id      uuid NOT NULL CONSTRAINT supplier_prices_supplier_id_fkey REFERENCES suppliers,
    product_id       uuid NOT NULL CONSTRAINT supplier_prices_product_id_fkey REFERENCES products,
    supplier_sku     text CHECK (length(supplier_sku) BETWEEN 1 AND 60),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    unit_price       numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    minimum_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (minimum_quantity >= 0),
    valid_from       date,
    valid_to         date,
    -- NULL: the supplier's.
    lead_time_days   integer CHECK (lead_time_days BETWEEN 0 AND 3650),
    revision         bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT supplier_prices_valid_period CHECK (valid_from <= valid_to),
    -- Two prices of which neither goes first are refused when saved.
    CONSTRAINT supplier_prices_no_ties UNIQUE NULLS NOT DISTINCT (supplier_id, product_id, currency, minimum_quantity, valid_from)
);
CREATE INDEX supplier_prices_by_product ON supplier_prices (product_id, supplier_id);
CREATE INDEX supplier_prices_by_age ON supplier_prices (created_at, id);

-- Who may approve how much, and how far a receipt or a bill may differ. Amounts in the base currency.

CREATE TABLE purchase_approval_limits (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- One of the two: a limit of a key goes before that of its role.
    role       text CHECK (length(role) BETWEEN 1 AND 60),
    api_key_id uuid REFERENCES api_keys,
    amount     numeric(20,4) NOT NULL CONSTRAINT purchase_approval_limits_amount CHECK (amount >= 0),
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT purchase_approval_limits_one_subject CHECK ((role IS NULL) <> (api_key_id IS NULL)),
    CONSTRAINT purchase_approval_limits_role_unique UNIQUE (role),
    CONSTRAINT purchase_approval_limits_key_unique UNIQUE (api_key_id)
);
CREATE INDEX purchase_approval_limits_by_age ON purchase_approval_limits (created_at, id);
INSERT INTO purchase_approval_limits (role, amount) VALUES ('back_office', 10000), ('admin', 1000000);

CREATE TABLE purchasing_settings (
    id                      uuid PRIMARY KEY CHECK (id = '00000000-0000-7000-8000-000000000002'),
    -- Orders worth up to this need no second person.
    approval_free_up_to     numeric(20,4) NOT NULL DEFAULT 0 CHECK (approval_free_up_to >= 0),
    -- Fraction of the ordered quantity that may come on top.
    over_receipt_tolerance  numeric(5,4) NOT NULL DEFAULT 0 CHECK (over_receipt_tolerance BETWEEN 0 AND 1),
    -- A bill's price may differ by the lesser of the two.
    bill_tolerance_fraction numeric(5,4) NOT NULL DEFAULT 0.02 CHECK (bill_tolerance_fraction BETWEEN 0 AND 1),
    bill_tolerance_amount   numeric(20,4) NOT NULL DEFAULT 50 CHECK (bill_tolerance_amount >= 0),
    revision                bigint NOT NULL DEFAULT 1,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now()
);
INSERT INTO purchasing_settings (id) VALUES ('00000000-0000-7000-8000-000000000002');
CREATE TRIGGER purchasing_settings_stay BEFORE DELETE OR TRUNCATE ON purchasing_settings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE purchase_orders (
    id                 uuid PRIMARY KEY,
    number             text CONSTRAINT purchase_orders_number_unique UNIQUE,
    lifecycle          text NOT NULL CHECK (lifecycle IN ('draft', 'awaiting_approval', 'ordered', 'closed', 'cancelled')),
    receipt            text NOT NULL DEFAULT 'none' CHECK (receipt IN ('none', 'partial', 'full')),
    supplier_id        uuid NOT NULL CONSTRAINT purchase_orders_supplier_id_fkey REFERENCES suppliers,
    currency           text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    order_date         date NOT NULL,
    warehouse_id       uuid REFERENCES warehouses,
    external_ref       text CONSTRAINT purchase_orders_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    supplier_reference text CHECK (length(supplier_reference) BETWEEN 1 AND 100),
    note               text CHECK (length(note) BETWEEN 1 AND 2000),
    net                numeric(20,4) NOT NULL,
    -- In the base currency: what is to be approved, and what was.
    value              numeric(20,4),
    approved_value     numeric(20,4),
    rejection          text CHECK (length(rejection) BETWEEN 1 AND 500),
    end_reason         text CHECK (length(end_reason) BETWEEN 1 AND 500),
    -- API keys; who made or last changed it does not approve it.
    created_by         uuid NOT NULL,
    changed_by         uuid NOT NULL,
    submitted_by       uuid,
    approved_by        uuid,
    approved_at        timestamptz,
    version            bigint NOT NULL DEFAULT 1,
    revision           bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    status             text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN lifecycle <> 'ordered' THEN lifecycle
             WHEN receipt = 'full' THEN 'received'
             WHEN receipt = 'partial' THEN 'partially_received'
             ELSE 'ordered' END) STORED,
    CONSTRAINT purchase_orders_numbered_when_binding CHECK (lifecycle NOT IN ('ordered', 'closed') OR number IS NOT NULL),
    CONSTRAINT purchase_orders_unnumbered_before CHECK (lifecycle <> 'draft' OR number IS NULL),
    CONSTRAINT purchase_orders_approved CHECK (lifecycle <> 'ordered' OR (approved_value IS NOT NULL AND value <= approved_value)),
    CONSTRAINT purchase_orders_cancelled_unreceived CHECK (lifecycle <> 'cancelled' OR receipt = 'none')
) WITH (fillfactor = 85);
CREATE INDEX purchase_orders_by_age ON purchase_orders (created_at, id);
CREATE INDEX purchase_orders_by_supplier ON purchase_orders (supplier_id, created_at, id);
CREATE INDEX purchase_orders_by_status ON purchase_orders (status, created_at, id);
CREATE INDEX purchase_orders_by_date ON purchase_orders (order_date, id);
CREATE TRIGGER purchase_orders_stay BEFORE DELETE OR TRUNCATE ON purchase_orders
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE purchase_order_lines (
    id                     uuid PRIMARY KEY,
    order_id               uuid NOT NULL REFERENCES purchase_orders,
    position               int NOT NULL CHECK (position > 0),
    -- A product, or an expense in words.
    product_id             uuid REFERENCES products,
    description            text CHECK (length(description) BETWEEN 1 AND 500),
    account_id             uuid CONSTRAINT purchase_order_lines_account_id_fkey REFERENCES accounts,
    department_id          uuid CONSTRAINT purchase_order_lines_department_id_fkey REFERENCES dimensions,
    project_id             uuid CONSTRAINT purchase_order_lines_project_id_fkey REFERENCES dimensions,
    unit                   text,
    quantity               numeric(14,3) NOT NULL CHECK (quantity > 0),
    unit_price             numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    price_source           text NOT NULL,
    supplier_sku           text,
    line_total             numeric(20,4) NOT NULL,
    expected_on            date NOT NULL,
    warehouse_id           uuid REFERENCES warehouses,
    over_receipt_tolerance numeric(5,4) CHECK (over_receipt_tolerance BETWEEN 0 AND 1),
    received_quantity      numeric(14,3) NOT NULL DEFAULT 0 CHECK (received_quantity >= 0),
    -- Sent back; of it to be delivered again.
    returned_quantity      numeric(14,3) NOT NULL DEFAULT 0,
    replaced_quantity      numeric(14,3) NOT NULL DEFAULT 0,
    -- Billed less reversed.
    billed_quantity        numeric(14,3) NOT NULL DEFAULT 0 CHECK (billed_quantity >= 0),
    -- Of it what was within the price tolerance by itself, with what it was billed at: what is cumulated.
    matched_quantity       numeric(14,3) NOT NULL DEFAULT 0 CHECK (matched_quantity >= 0),
    matched_amount         numeric(20,4) NOT NULL DEFAULT 0,
    requisition_line_id    uuid,
    CONSTRAINT purchase_order_lines_something CHECK (product_id IS NOT NULL OR description IS NOT NULL),
    CONSTRAINT purchase_order_lines_returned CHECK (returned_quantity BETWEEN 0 AND received_quantity),
    CONSTRAINT purchase_order_lines_replaced CHECK (replaced_quantity BETWEEN 0 AND returned_quantity),
    CONSTRAINT purchase_order_lines_matched CHECK (matched_quantity <= billed_quantity),
    CONSTRAINT purchase_order_lines_position_unique UNIQUE (order_id, position) DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor = 85);
CREATE INDEX purchase_order_lines_by_product ON purchase_order_lines (product_id) WHERE product_id IS NOT NULL;
CREATE INDEX purchase_order_lines_by_requisition ON purchase_order_lines (requisition_line_id) WHERE requisition_line_id IS NOT NULL;

-- Goods have stock and services have none, so what was ordered once stays what it is.
CREATE FUNCTION refuse_product_kind_in_purchasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM purchase_order_lines WHERE product_id = NEW.id) THEN
        RAISE EXCEPTION 'the kind of a product in use does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'products_kind_in_use';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER products_kind_in_purchasing BEFORE UPDATE OF kind ON products
    FOR EACH ROW WHEN (OLD.kind IS DISTINCT FROM NEW.kind) EXECUTE FUNCTION refuse_product_kind_in_purchasing();
