-- The catalogue is a replica of the ERP's. Its tables do not reference each other: events arrive
-- in any order, and a price may be known before its product.

CREATE TABLE categories (
    id             uuid PRIMARY KEY,
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description    text,
    parent_id      uuid,
    external_ref   text,
    source_version bigint NOT NULL CHECK (source_version >= 0),
    as_of          timestamptz NOT NULL,
    revision       bigint NOT NULL CHECK (revision > 0),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX categories_by_name ON categories (name, id);

CREATE TABLE products (
    id             uuid PRIMARY KEY,
    -- Unique in the ERP; here two products may swap theirs one after the other.
    sku            text NOT NULL CHECK (length(sku) BETWEEN 1 AND 60),
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description    text,
    kind           text NOT NULL CHECK (kind IN ('goods', 'service')),
    unit           text NOT NULL,
    category_id    uuid,
    category_name  text,
    status         text NOT NULL CHECK (status IN ('active', 'retired')),
    external_ref   text,
    source_version bigint NOT NULL CHECK (source_version >= 0),
    as_of          timestamptz NOT NULL,
    revision       bigint NOT NULL CHECK (revision > 0),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX products_by_name ON products (name, id);
CREATE INDEX products_by_sku ON products (sku, id);
CREATE INDEX products_by_age ON products (created_at, id);
CREATE INDEX products_by_category ON products (category_id);
CREATE INDEX products_by_external_ref ON products (external_ref) WHERE external_ref IS NOT NULL;

CREATE TABLE prices (
    id               uuid PRIMARY KEY,
    price_list_id    uuid NOT NULL,
    price_list_name  text NOT NULL,
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- NULL: the base list of the currency.
    tier             text,
    product_id       uuid NOT NULL,
    unit_price       numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    minimum_quantity numeric(14,3) NOT NULL CHECK (minimum_quantity >= 0),
    valid_from       date,
    valid_to         date,
    source_version   bigint NOT NULL CHECK (source_version >= 0),
    as_of            timestamptz NOT NULL,
    revision         bigint NOT NULL CHECK (revision > 0),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT prices_validity CHECK (valid_to >= valid_from)
);
CREATE INDEX prices_by_product ON prices (product_id, currency);

CREATE TABLE availability (
    product_id     uuid NOT NULL,
    warehouse_id   uuid NOT NULL,
    -- What the ERP calls this pair; not the key, so that a rebuilt ERP may call it otherwise.
    stock_level_id uuid NOT NULL,
    on_hand        numeric(14,3) NOT NULL CHECK (on_hand >= 0),
    reserved       numeric(14,3) NOT NULL,
    source_version bigint NOT NULL CHECK (source_version >= 0),
    as_of          timestamptz NOT NULL,
    revision       bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (product_id, warehouse_id),
    CONSTRAINT availability_reserved_within_on_hand CHECK (reserved BETWEEN 0 AND on_hand)
) WITH (fillfactor = 70);

-- An order is written here until it is submitted; from then on the columns number, rejection,
-- fulfilment and source_version (and the status) are what the ERP reports.
CREATE TABLE orders (
    id                        uuid PRIMARY KEY,
    origin                    text NOT NULL CHECK (origin IN ('crm', 'erp')),
    status                    text NOT NULL CHECK (status IN ('draft', 'submitted', 'accepted', 'rejected', 'on_hold',
                                  'partially_delivered', 'delivered', 'closed', 'cancelled')),
    customer_id               uuid NOT NULL CONSTRAINT orders_customer_known REFERENCES customers,
    currency                  text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    order_date                date NOT NULL,
    requested_date            date,
    external_ref              text,
    -- Sum of the line totals; lines without a price count nothing.
    net                       numeric(20,4) NOT NULL,
    submitted_at              timestamptz,
    cancellation_state        text CHECK (cancellation_state IN ('requested', 'granted', 'refused')),
    cancellation_reason       text,
    cancellation_requested_at timestamptz,
    -- Version of the order at which it was requested: tells whether a report has seen the request.
    cancellation_version      bigint,
    number                    text,
    rejection                 json,
    fulfilment                json,
    source_version            bigint CHECK (source_version >= 0),
    version                   bigint NOT NULL CHECK (version > 0),
    revision                  bigint NOT NULL CHECK (revision > 0),
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL,
    CONSTRAINT orders_dates CHECK (origin = 'erp' OR requested_date >= order_date),
    CONSTRAINT orders_no_foreign_draft CHECK (origin = 'crm' OR status NOT IN ('draft', 'submitted')),
    CONSTRAINT orders_submitted_once CHECK (origin = 'erp' OR status IN ('draft', 'cancelled') OR submitted_at IS NOT NULL),
    CONSTRAINT orders_decided_by_the_erp CHECK (status IN ('draft', 'submitted', 'cancelled') OR fulfilment IS NOT NULL),
    CONSTRAINT orders_fulfilment_versioned CHECK ((fulfilment IS NULL) = (source_version IS NULL)),
    CONSTRAINT orders_cancellation_whole CHECK (cancellation_state IS NOT NULL
        OR num_nonnulls(cancellation_reason, cancellation_requested_at, cancellation_version) = 0)
) WITH (fillfactor = 80);
-- The CRM's own references; the back office counts its orders by itself.
CREATE UNIQUE INDEX orders_external_ref_unique ON orders (external_ref) WHERE origin = 'crm';
CREATE INDEX orders_by_age ON orders (created_at, id);
CREATE INDEX orders_by_date ON orders (order_date, id);
CREATE INDEX orders_by_customer ON orders (customer_id, created_at, id);
CREATE INDEX orders_by_status ON orders (status, created_at, id);

CREATE TABLE order_lines (
    -- Shared with the ERP.
    id          uuid PRIMARY KEY,
    order_id    uuid NOT NULL REFERENCES orders,
    position    int NOT NULL CHECK (position > 0),
    -- Not a reference: the catalogue may lag, and the ERP decides.
    product_id  uuid NOT NULL,
    quantity    numeric(14,3) NOT NULL CONSTRAINT order_lines_quantity_positive CHECK (quantity > 0),
    unit_price  numeric(14,4) CHECK (unit_price >= 0),
    -- Whether somebody named the price; else it came from a price list.
    price_given boolean NOT NULL,
    discount    numeric(5,4) NOT NULL CHECK (discount BETWEEN 0 AND 1),
    line_total  numeric(20,4),
    CONSTRAINT order_lines_one_per_position UNIQUE (order_id, position),
    CONSTRAINT order_lines_total_with_price CHECK ((unit_price IS NULL) = (line_total IS NULL)),
    CONSTRAINT order_lines_given_price CHECK (NOT price_given OR unit_price IS NOT NULL)
) WITH (fillfactor = 90);
