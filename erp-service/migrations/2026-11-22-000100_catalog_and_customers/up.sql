-- Catalog: units, categories, products.

CREATE TABLE units (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code       text NOT NULL CONSTRAINT units_code_unique UNIQUE CHECK (length(code) BETWEEN 1 AND 20),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO units (code, name) VALUES
    ('pcs', 'piece'), ('kg', 'kilogram'), ('g', 'gram'), ('t', 'tonne'), ('l', 'litre'), ('ml', 'millilitre'),
    ('m', 'metre'), ('cm', 'centimetre'), ('mm', 'millimetre'), ('m2', 'square metre'), ('m3', 'cubic metre'),
    ('h', 'hour'), ('min', 'minute'), ('day', 'day'), ('month', 'month'),
    ('box', 'box'), ('pack', 'pack'), ('pair', 'pair'), ('set', 'set'), ('roll', 'roll'), ('bottle', 'bottle'),
    ('pallet', 'pallet'), ('service', 'service');

CREATE TABLE categories (
    id           uuid PRIMARY KEY,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description  text CHECK (length(description) <= 4000),
    parent_id    uuid CONSTRAINT categories_parent_id_fkey REFERENCES categories,
    external_ref text CONSTRAINT categories_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    version      bigint NOT NULL DEFAULT 1,
    revision     bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX categories_by_name ON categories (name, id);
CREATE INDEX categories_by_age ON categories (created_at, id);
CREATE INDEX categories_by_parent ON categories (parent_id);

-- A category is never its own ancestor. Two moves at once are kept apart by the lock that the
-- action takes; this is for everybody else.
CREATE FUNCTION refuse_category_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE ancestors (id) AS (
            SELECT NEW.parent_id
            UNION
            SELECT c.parent_id FROM categories c JOIN ancestors a ON c.id = a.id WHERE c.parent_id IS NOT NULL
        )
        SELECT FROM ancestors WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'category % would be its own ancestor', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'categories_acyclic', TABLE = 'categories';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER categories_acyclic AFTER INSERT OR UPDATE OF parent_id ON categories
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION refuse_category_cycle();

CREATE TABLE products (
    id           uuid PRIMARY KEY,
    sku          text NOT NULL CONSTRAINT products_sku_unique UNIQUE CHECK (length(sku) BETWEEN 1 AND 60),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description  text CHECK (length(description) <= 4000),
    kind         text NOT NULL CHECK (kind IN ('goods', 'service')),
    unit         text NOT NULL CONSTRAINT products_unit_fkey REFERENCES units (code),
    category_id  uuid CONSTRAINT products_category_id_fkey REFERENCES categories,
    status       text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    external_ref text CONSTRAINT products_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    version      bigint NOT NULL DEFAULT 1,
    revision     bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX products_by_name ON products (name, id);
CREATE INDEX products_by_age ON products (created_at, id);
CREATE INDEX products_by_category ON products (category_id, name);

-- Pricing.

CREATE TABLE price_lists (
    id         uuid PRIMARY KEY,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- NULL: the base list of its currency.
    tier       text CHECK (length(tier) BETWEEN 1 AND 60),
    version    bigint NOT NULL DEFAULT 1,
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT price_lists_one_per_tier UNIQUE NULLS NOT DISTINCT (currency, tier)
);

CREATE TABLE prices (
    id               uuid PRIMARY KEY,
    price_list_id    uuid NOT NULL CONSTRAINT prices_price_list_id_fkey REFERENCES price_lists,
    product_id       uuid NOT NULL CONSTRAINT prices_product_id_fkey REFERENCES products,
    unit_price       numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    minimum_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (minimum_quantity >= 0),
    valid_from       date,
    valid_to         date,
    version          bigint NOT NULL DEFAULT 1,
    revision         bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT prices_valid_period CHECK (valid_from <= valid_to),
    -- Two prices of which neither goes first are refused when saved.
    CONSTRAINT prices_no_ties UNIQUE NULLS NOT DISTINCT (price_list_id, product_id, minimum_quantity, valid_from)
);
CREATE INDEX prices_by_product ON prices (product_id, id);
CREATE INDEX prices_by_age ON prices (created_at, id);

-- Customers: the CRM's part as it was last applied, and the terms that the ERP owns.

CREATE TABLE customers (
    id                   uuid PRIMARY KEY,

    -- The CRM's. Nothing here is unique: changes of two customers may arrive in any order.
    name                 text NOT NULL,
    kind                 text NOT NULL CHECK (kind IN ('company', 'person')),
    status               text NOT NULL CHECK (status IN ('active', 'archived')),
    email                text,
    phone                text,
    tax_id               text,
    grade                text,
    grade_effective_from date,
    legal_entities       jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(legal_entities) = 'array'),
    contacts             jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(contacts) = 'array'),
    addresses            jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(addresses) = 'array'),
    external_ref         text,
    source_version       bigint NOT NULL CHECK (source_version > 0),
    as_of                timestamptz NOT NULL,

    -- The ERP's; `version` counts its changes.
    tier                 text CHECK (length(tier) BETWEEN 1 AND 60),
    tier_reason          text CHECK (length(tier_reason) BETWEEN 1 AND 500),
    -- NULL: unlimited. 0: prepayment. In the base currency.
    credit_limit         numeric(20,4) CONSTRAINT customers_credit_limit_not_negative CHECK (credit_limit >= 0),
    credit_hold          boolean NOT NULL DEFAULT false,
    credit_hold_reason   text CHECK (length(credit_hold_reason) BETWEEN 1 AND 500),
    blocked              boolean NOT NULL DEFAULT false,
    blocked_reason       text CHECK (length(blocked_reason) BETWEEN 1 AND 500),
    version              bigint NOT NULL DEFAULT 1,

    revision             bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    CONSTRAINT customers_tier_reason_of_tier CHECK (tier_reason IS NULL OR tier IS NOT NULL),
    CONSTRAINT customers_credit_hold_reason_of_hold CHECK (credit_hold_reason IS NULL OR credit_hold),
    CONSTRAINT customers_blocked_reason_of_block CHECK (blocked_reason IS NULL OR blocked)
) WITH (fillfactor = 85);
CREATE INDEX customers_by_name ON customers (name, id);
CREATE INDEX customers_by_age ON customers (created_at, id);
CREATE INDEX customers_by_external_ref ON customers (external_ref);

-- Settings: one row.

CREATE TABLE company (
    id                     uuid PRIMARY KEY CHECK (id = '00000000-0000-7000-8000-000000000001'),
    name                   text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    base_currency          text NOT NULL CHECK (base_currency ~ '^[A-Z]{3}$'),
    -- {role: fraction}: how far below the list price a role may sell.
    price_deviation_limits jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(price_deviation_limits) = 'object'),
    revision               bigint NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now()
);
INSERT INTO company (id, name, base_currency) VALUES ('00000000-0000-7000-8000-000000000001', 'My company', 'USD');

-- Limits and exposures are amounts in it: with customers it stays what it is.
CREATE FUNCTION refuse_base_currency_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE customers IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM customers) THEN
        RAISE EXCEPTION 'the base currency is in use'
            USING ERRCODE = '23514', CONSTRAINT = 'company_base_currency_in_use', TABLE = 'company';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER company_base_currency_in_use AFTER UPDATE OF base_currency ON company
    FOR EACH ROW WHEN (OLD.base_currency <> NEW.base_currency) EXECUTE FUNCTION refuse_base_currency_change();
CREATE TRIGGER company_stays BEFORE DELETE OR TRUNCATE ON company
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
