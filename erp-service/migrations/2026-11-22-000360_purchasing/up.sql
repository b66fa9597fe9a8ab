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
