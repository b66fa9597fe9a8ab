CREATE TABLE warehouses (
    id         uuid PRIMARY KEY,
    code       text NOT NULL CONSTRAINT warehouses_code_unique UNIQUE CHECK (length(code) BETWEEN 1 AND 40),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    is_default boolean NOT NULL DEFAULT false,
    version    bigint NOT NULL DEFAULT 1,
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX warehouses_one_default ON warehouses (is_default) WHERE is_default;

-- Append-only: on hand is by construction the sum of the moves, see apply_stock_moves.
CREATE TABLE stock_moves (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id   uuid NOT NULL REFERENCES products,
    warehouse_id uuid NOT NULL REFERENCES warehouses,
    quantity     numeric(14,3) NOT NULL CONSTRAINT stock_moves_quantity_not_zero CHECK (quantity <> 0),
    moved_on     date NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('adjustment', 'delivery')),
    document_id  uuid NOT NULL,
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX stock_moves_by_day ON stock_moves (product_id, warehouse_id, moved_on);
CREATE INDEX stock_moves_by_document ON stock_moves (document_id);
CREATE INDEX stock_moves_by_time ON stock_moves (recorded_at, id);
CREATE INDEX stock_moves_by_date ON stock_moves (moved_on, id);
CREATE TRIGGER stock_moves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_moves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE stock_levels (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    product_id   uuid NOT NULL REFERENCES products,
    warehouse_id uuid NOT NULL REFERENCES warehouses,
    on_hand      numeric(14,3) NOT NULL DEFAULT 0,
    reserved     numeric(14,3) NOT NULL DEFAULT 0,
    last_move_on date,
    version      bigint NOT NULL DEFAULT 0,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stock_levels_one_per_pair UNIQUE (product_id, warehouse_id),
    CONSTRAINT stock_levels_on_hand_not_negative CHECK (on_hand >= 0),
    -- The bound of a quantity on the wire.
    CONSTRAINT stock_levels_on_hand_in_bounds CHECK (on_hand < 100000000),
    CONSTRAINT stock_levels_reserved_within_on_hand CHECK (reserved >= 0 AND reserved <= on_hand)
) WITH (fillfactor = 70);

CREATE FUNCTION apply_stock_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stock_levels l
    SET on_hand = l.on_hand + m.quantity,
        last_move_on = greatest(l.last_move_on, m.moved_on),
        version = l.version + 1,
        updated_at = m.recorded_at
    FROM (SELECT product_id, warehouse_id, sum(quantity) AS quantity, max(moved_on) AS moved_on, max(recorded_at) AS recorded_at
          FROM new_moves GROUP BY product_id, warehouse_id) m
    WHERE l.product_id = m.product_id AND l.warehouse_id = m.warehouse_id;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_moves_change_levels AFTER INSERT ON stock_moves
    REFERENCING NEW TABLE AS new_moves FOR EACH STATEMENT EXECUTE FUNCTION apply_stock_moves();

-- On hand changes through a move or not at all.
CREATE FUNCTION refuse_on_hand_without_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'on hand changes through stock moves only'
        USING ERRCODE = '23514', CONSTRAINT = 'stock_levels_on_hand_through_moves';
END $$;
CREATE TRIGGER stock_levels_on_hand_through_moves BEFORE UPDATE OF on_hand ON stock_levels
    FOR EACH ROW WHEN (OLD.on_hand IS DISTINCT FROM NEW.on_hand AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_on_hand_without_move();
CREATE TRIGGER stock_levels_start_empty BEFORE INSERT ON stock_levels
    FOR EACH ROW WHEN (NEW.on_hand <> 0 OR NEW.reserved <> 0)
    EXECUTE FUNCTION refuse_on_hand_without_move();
CREATE TRIGGER stock_levels_stay BEFORE DELETE OR TRUNCATE ON stock_levels
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE stock_adjustments (
    id           uuid PRIMARY KEY,
    warehouse_id uuid NOT NULL REFERENCES warehouses,
    reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    adjusted_on  date NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX stock_adjustments_by_age ON stock_adjustments (created_at, id);
CREATE INDEX stock_adjustments_by_date ON stock_adjustments (adjusted_on, id);
CREATE TABLE stock_adjustment_lines (
    adjustment_id uuid NOT NULL REFERENCES stock_adjustments,
    position      int NOT NULL,
    product_id    uuid NOT NULL REFERENCES products,
    quantity      numeric(14,3) NOT NULL CHECK (quantity <> 0),
    PRIMARY KEY (adjustment_id, position)
);

CREATE SEQUENCE sales_order_numbers;
CREATE TABLE sales_orders (
    id              uuid PRIMARY KEY,
    number          text CONSTRAINT sales_orders_number_unique UNIQUE,
    origin          text NOT NULL CHECK (origin IN ('crm', 'erp')),
    lifecycle       text NOT NULL CHECK (lifecycle IN ('draft', 'confirmed', 'rejected', 'closed', 'cancelled')),
    delivery        text NOT NULL DEFAULT 'none' CHECK (delivery IN ('none', 'partial', 'full')),
    -- [{code, reason, placed_at}]
    holds           jsonb NOT NULL DEFAULT '[]',
    customer_id     uuid NOT NULL REFERENCES customers,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    order_date      date NOT NULL,
    requested_date  date,
    -- No foreign key: each order would lock the row of the one busy warehouse. Warehouses stay.
    warehouse_id    uuid,
    priority        smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 9),
    external_ref    text,
    net             numeric(20,4) NOT NULL,
    tax             numeric(20,4) NOT NULL DEFAULT 0,
    gross           numeric(20,4) NOT NULL,
    -- Whether it counts towards the customer's exposure: not while the confirmation failed the check.
    credit_counted  boolean NOT NULL DEFAULT false,
    -- Released by hand past the limit: shipping does not stop it for credit again.
    credit_released boolean NOT NULL DEFAULT false,
    rejection       jsonb NOT NULL DEFAULT '[]',
    cancellation    jsonb,
    -- Why it was closed or cancelled here.
    end_reason      text,
    source_version  bigint,
    version         bigint NOT NULL DEFAULT 1,
    revision        bigint NOT NULL DEFAULT 1,
    confirmed_at    timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    status          text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN lifecycle <> 'confirmed' THEN lifecycle
             WHEN delivery = 'full' THEN 'delivered'
             WHEN holds <> '[]' THEN 'on_hold'
             WHEN delivery = 'partial' THEN 'partially_delivered'
             ELSE 'confirmed' END) STORED,
    CONSTRAINT sales_orders_numbered_when_binding CHECK (lifecycle NOT IN ('confirmed', 'closed') OR number IS NOT NULL),
    CONSTRAINT sales_orders_unnumbered_before CHECK (lifecycle NOT IN ('draft', 'rejected') OR number IS NULL),
    CONSTRAINT sales_orders_cancelled_undelivered CHECK (lifecycle <> 'cancelled' OR delivery = 'none'),
    CONSTRAINT sales_orders_gross CHECK (gross = net + tax)
) WITH (fillfactor = 85);
-- A customer's reference in the CRM and one of the back office do not meet.
CREATE UNIQUE INDEX sales_orders_external_ref_unique ON sales_orders (external_ref, origin) WHERE external_ref IS NOT NULL;
CREATE INDEX sales_orders_by_age ON sales_orders (created_at, id);
CREATE INDEX sales_orders_by_customer ON sales_orders (customer_id, created_at, id);
CREATE INDEX sales_orders_by_status ON sales_orders (status, created_at, id);
CREATE INDEX sales_orders_by_date ON sales_orders (order_date, id);
CREATE INDEX sales_orders_exposed ON sales_orders (customer_id) INCLUDE (gross, currency)
    WHERE lifecycle = 'confirmed' AND credit_counted;

CREATE TABLE sales_order_lines (
    id                   uuid PRIMARY KEY,
    -- What these two refer to is checked for all lines at once, see check_sales_order_lines.
    order_id             uuid NOT NULL,
    position             int NOT NULL CHECK (position > 0),
    -- As ordered; a rejected order may name a product that does not exist.
    product_id           uuid NOT NULL,
    known_product_id     uuid,
    quantity             numeric(14,3) NOT NULL CONSTRAINT sales_order_lines_quantity_positive CHECK (quantity > 0),
    unit                 text,
    unit_price           numeric(14,4) CHECK (unit_price >= 0),
    list_price           numeric(14,4) CHECK (list_price >= 0),
    price_explanation    text,
    discount             numeric(5,4) NOT NULL DEFAULT 0 CHECK (discount BETWEEN 0 AND 1),
    line_total           numeric(20,4),
    reserved_quantity    numeric(14,3) NOT NULL DEFAULT 0 CHECK (reserved_quantity >= 0),
    backordered_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (backordered_quantity >= 0),
    delivered_quantity   numeric(14,3) NOT NULL DEFAULT 0 CHECK (delivered_quantity >= 0),
    CONSTRAINT sales_order_lines_within_ordered CHECK (reserved_quantity + backordered_quantity + delivered_quantity <= quantity),
    CONSTRAINT sales_order_lines_product CHECK (known_product_id = product_id),
    CONSTRAINT sales_order_lines_known_product CHECK (
        known_product_id IS NOT NULL OR reserved_quantity + backordered_quantity + delivered_quantity = 0),
    CONSTRAINT sales_order_lines_position_unique UNIQUE (order_id, position)
) WITH (fillfactor = 85);
-- Orders and products are never deleted, so a look is enough where a foreign key would lock each
-- row that a line refers to: one statement for all lines instead of two for each.
CREATE FUNCTION check_sales_order_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_lines l WHERE NOT EXISTS (SELECT FROM sales_orders o WHERE o.id = l.order_id)) THEN
        RAISE EXCEPTION 'a line without its order'
            USING ERRCODE = '23503', CONSTRAINT = 'sales_order_lines_order_id_fkey';
    END IF;
    IF EXISTS (SELECT FROM new_lines l WHERE l.known_product_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM products p WHERE p.id = l.known_product_id)) THEN
        RAISE EXCEPTION 'a line with an unknown product'
            USING ERRCODE = '23503', CONSTRAINT = 'sales_order_lines_known_product_id_fkey';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sales_order_lines_refer AFTER INSERT ON sales_order_lines
    REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION check_sales_order_lines();
CREATE TRIGGER sales_orders_stay BEFORE DELETE OR TRUNCATE ON sales_orders
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER products_stay BEFORE DELETE OR TRUNCATE ON products
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER warehouses_stay BEFORE DELETE OR TRUNCATE ON warehouses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE INDEX sales_order_lines_backordered ON sales_order_lines (known_product_id) WHERE backordered_quantity > 0;

CREATE SEQUENCE delivery_numbers;
CREATE TABLE deliveries (
    id           uuid PRIMARY KEY,
    number       text NOT NULL CONSTRAINT deliveries_number_unique UNIQUE,
    order_id     uuid NOT NULL REFERENCES sales_orders,
    -- Absent when nothing but services was delivered before there was any warehouse.
    warehouse_id uuid REFERENCES warehouses,
    delivered_on date NOT NULL,
    external_ref text CONSTRAINT deliveries_external_ref_unique UNIQUE,
    created_at   timestamptz NOT NULL
);
CREATE INDEX deliveries_by_order ON deliveries (order_id);
CREATE INDEX deliveries_by_age ON deliveries (created_at, id);
CREATE INDEX deliveries_by_date ON deliveries (delivered_on, id);
CREATE TRIGGER deliveries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON deliveries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE delivery_lines (
    delivery_id uuid NOT NULL REFERENCES deliveries,
    line_id     uuid NOT NULL REFERENCES sales_order_lines,
    product_id  uuid NOT NULL REFERENCES products,
    quantity    numeric(14,3) NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (delivery_id, line_id)
);
CREATE TRIGGER delivery_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON delivery_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Goods have stock and services have none, so what was ordered or stocked once stays what it is.
CREATE FUNCTION refuse_product_kind_in_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM stock_levels WHERE product_id = NEW.id)
       OR EXISTS (SELECT FROM sales_order_lines WHERE known_product_id = NEW.id) THEN
        RAISE EXCEPTION 'the kind of a product in use does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'products_kind_in_use';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER products_kind_in_use BEFORE UPDATE OF kind ON products
    FOR EACH ROW WHEN (OLD.kind IS DISTINCT FROM NEW.kind) EXECUTE FUNCTION refuse_product_kind_in_use();
