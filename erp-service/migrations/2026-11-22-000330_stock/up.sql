-- Stock has a value in the base currency: that of a level is the sum of its moves' values.
ALTER TABLE stock_moves
    ADD COLUMN value numeric(20,4) NOT NULL DEFAULT 0,
    DROP CONSTRAINT stock_moves_quantity_not_zero,
    DROP CONSTRAINT stock_moves_kind_check,
    ADD CONSTRAINT stock_moves_kind_known CHECK (kind IN (
        'adjustment', 'opening', 'delivery', 'receipt', 'customer_return', 'supplier_return', 'transfer', 'count',
        'scrap', 'revaluation', 'relocation')),
    ADD CONSTRAINT stock_moves_something CHECK (quantity <> 0 OR value <> 0),
    -- A late cost moves value alone; otherwise value goes where the quantity goes.
    ADD CONSTRAINT stock_moves_value_follows_quantity CHECK (
        CASE WHEN quantity > 0 THEN value >= 0 WHEN quantity < 0 THEN value <= 0 ELSE kind = 'revaluation' END);

ALTER TABLE stock_levels
    ADD COLUMN value numeric(20,4) NOT NULL DEFAULT 0,
    ADD CONSTRAINT stock_levels_value_not_negative CHECK (value >= 0),
    -- So that value × quantity stays exact.
    ADD CONSTRAINT stock_levels_value_in_bounds CHECK (value < 10000000000000),
    ADD CONSTRAINT stock_levels_nothing_is_worth_nothing CHECK (on_hand <> 0 OR value = 0);

-- What `quantity` of `on_hand` units that are worth `value` takes along: its share, half to even at the
-- minor unit; the last unit takes the rest. In whole numbers, so that a tie is a tie.
CREATE FUNCTION stock_share(value numeric, on_hand numeric, quantity numeric, digits int) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN quantity >= on_hand THEN value ELSE (
        SELECT (q + CASE WHEN 2 * (n - q * on_hand) > on_hand OR (2 * (n - q * on_hand) = on_hand AND mod(q, 2) = 1)
                         THEN 1 ELSE 0 END) / power(10::numeric, digits)
        FROM (SELECT n, div(n, on_hand) AS q FROM (SELECT value * quantity * power(10::numeric, digits) AS n) exact) whole) END
$$;

-- Lots and serials: a product says how it is tracked, before it has any stock.
ALTER TABLE products
    ADD COLUMN tracking text NOT NULL DEFAULT 'none' CHECK (tracking IN ('none', 'lot', 'serial')),
    ADD CONSTRAINT products_tracked_goods CHECK (tracking = 'none' OR kind = 'goods');

CREATE TABLE lots (
    id         uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products,
    -- The number on the goods: a lot's, or that of one piece.
    code       text NOT NULL CHECK (length(code) BETWEEN 1 AND 100),
    serial     boolean NOT NULL,
    -- The last day on which it may be sold.
    expires_on date,
    -- Everywhere; the sum of its moves.
    on_hand    numeric(14,3) NOT NULL DEFAULT 0,
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT lots_code_unique UNIQUE (product_id, code),
    CONSTRAINT lots_of_product UNIQUE (id, product_id),
    CONSTRAINT lots_on_hand_not_negative CHECK (on_hand >= 0),
    CONSTRAINT lots_serial_is_one_piece CHECK (NOT serial OR on_hand IN (0, 1))
);
CREATE INDEX lots_by_age ON lots (created_at, id);
CREATE INDEX lots_by_expiry ON lots (expires_on, id) WHERE on_hand > 0;
CREATE TRIGGER lots_stay BEFORE DELETE OR TRUNCATE ON lots
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Places within a warehouse: bins, shelves, the quarantine cage.
CREATE TABLE locations (
    id           uuid PRIMARY KEY,
    warehouse_id uuid NOT NULL REFERENCES warehouses,
    code         text NOT NULL CHECK (length(code) BETWEEN 1 AND 40),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    revision     bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT locations_code_unique UNIQUE (warehouse_id, code),
    CONSTRAINT locations_of_warehouse UNIQUE (id, warehouse_id)
);
CREATE INDEX locations_by_age ON locations (created_at, id);
CREATE TRIGGER locations_stay BEFORE DELETE OR TRUNCATE ON locations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE stock_moves
    ADD COLUMN lot_id uuid,
    ADD COLUMN location_id uuid,
    ADD CONSTRAINT stock_moves_lot_fkey FOREIGN KEY (lot_id, product_id) REFERENCES lots (id, product_id),
    ADD CONSTRAINT stock_moves_location_fkey FOREIGN KEY (location_id, warehouse_id) REFERENCES locations (id, warehouse_id);
CREATE INDEX stock_moves_by_lot ON stock_moves (lot_id, id) WHERE lot_id IS NOT NULL;

-- What lies where, as far as anybody told: by lot, by location. What is on hand of an untracked product
-- and lies in no location has no row. Rows follow the moves and go when they are empty.
CREATE TABLE stock_places (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    product_id   uuid NOT NULL,
    warehouse_id uuid NOT NULL,
    lot_id       uuid,
    location_id  uuid,
    quantity     numeric(14,3) NOT NULL CONSTRAINT stock_places_quantity_not_negative CHECK (quantity >= 0),
    CONSTRAINT stock_places_one UNIQUE NULLS NOT DISTINCT (product_id, warehouse_id, lot_id, location_id),
    CONSTRAINT stock_places_told CHECK (lot_id IS NOT NULL OR location_id IS NOT NULL)
);
CREATE INDEX stock_places_by_lot ON stock_places (lot_id) WHERE lot_id IS NOT NULL;
CREATE INDEX stock_places_by_location ON stock_places (location_id) WHERE location_id IS NOT NULL;

ALTER TABLE stock_levels
    -- By lots; a copy of the product's.
    ADD COLUMN tracked boolean NOT NULL DEFAULT false,
    -- Of it in lots if tracked, else in locations: the sum of its places.
    ADD COLUMN placed numeric(14,3) NOT NULL DEFAULT 0,
    -- Of what is reserved, by promises.
    ADD COLUMN held numeric(14,3) NOT NULL DEFAULT 0,
    ADD CONSTRAINT stock_levels_placed_within_on_hand CHECK (placed BETWEEN 0 AND on_hand),
    ADD CONSTRAINT stock_levels_all_in_lots CHECK (NOT tracked OR placed = on_hand),
    ADD CONSTRAINT stock_levels_held_within_reserved CHECK (held BETWEEN 0 AND reserved);

CREATE FUNCTION copy_product_tracking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever changes the tracking waits until this level is there, or this waits for the change.
    SELECT tracking <> 'none' INTO NEW.tracked FROM products WHERE id = NEW.product_id FOR SHARE;
    RETURN NEW;
END $$;
CREATE TRIGGER stock_levels_tracked BEFORE INSERT ON stock_levels
    FOR EACH ROW EXECUTE FUNCTION copy_product_tracking();
CREATE FUNCTION refuse_tracking_in_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM stock_levels WHERE product_id = NEW.id AND last_move_on IS NOT NULL) THEN
        RAISE EXCEPTION 'the tracking of a product with stock does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'products_tracking_in_use';
    END IF;
    UPDATE stock_levels SET tracked = NEW.tracking <> 'none' WHERE product_id = NEW.id;
    RETURN NEW;
END $$;
CREATE TRIGGER products_tracking_in_use BEFORE UPDATE OF tracking ON products
    FOR EACH ROW WHEN (OLD.tracking IS DISTINCT FROM NEW.tracking) EXECUTE FUNCTION refuse_tracking_in_use();

CREATE OR REPLACE FUNCTION apply_stock_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What only changes the value is no news to those who ask what is available.
    UPDATE stock_levels l
    SET on_hand = l.on_hand + m.quantity,
        value = l.value + m.value,
        placed = l.placed + CASE WHEN l.tracked THEN m.in_lots ELSE m.in_locations END,
        last_move_on = greatest(l.last_move_on, m.moved_on),
        version = l.version + (m.quantity <> 0)::int,
        updated_at = CASE WHEN m.quantity <> 0 THEN m.recorded_at ELSE l.updated_at END
    FROM (SELECT product_id, warehouse_id, sum(quantity) AS quantity, sum(value) AS value, max(moved_on) AS moved_on,
                 max(recorded_at) AS recorded_at,
                 coalesce(sum(quantity) FILTER (WHERE lot_id IS NOT NULL), 0) AS in_lots,
                 coalesce(sum(quantity) FILTER (WHERE location_id IS NOT NULL), 0) AS in_locations
          FROM new_moves GROUP BY product_id, warehouse_id) m
    WHERE l.product_id = m.product_id AND l.warehouse_id = m.warehouse_id;
    IF NOT EXISTS (SELECT FROM new_moves WHERE lot_id IS NOT NULL OR location_id IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    -- The levels are locked by now, so places do not appear or go in between.
    WITH changed AS (
        SELECT product_id, warehouse_id, lot_id, location_id, sum(quantity) AS quantity
        FROM new_moves WHERE lot_id IS NOT NULL OR location_id IS NOT NULL
        GROUP BY product_id, warehouse_id, lot_id, location_id HAVING sum(quantity) <> 0),
    known AS (
        UPDATE stock_places p SET quantity = p.quantity + c.quantity
        FROM changed c
        WHERE p.product_id = c.product_id AND p.warehouse_id = c.warehouse_id
          AND p.lot_id IS NOT DISTINCT FROM c.lot_id AND p.location_id IS NOT DISTINCT FROM c.location_id
        RETURNING p.product_id, p.warehouse_id, p.lot_id, p.location_id)
    INSERT INTO stock_places (product_id, warehouse_id, lot_id, location_id, quantity)
    SELECT c.product_id, c.warehouse_id, c.lot_id, c.location_id, c.quantity FROM changed c
    WHERE NOT EXISTS (SELECT FROM known k
        WHERE k.product_id = c.product_id AND k.warehouse_id = c.warehouse_id
          AND k.lot_id IS NOT DISTINCT FROM c.lot_id AND k.location_id IS NOT DISTINCT FROM c.location_id);
    DELETE FROM stock_places p USING (SELECT DISTINCT product_id, warehouse_id FROM new_moves) m
    WHERE p.product_id = m.product_id AND p.warehouse_id = m.warehouse_id AND p.quantity = 0;
    UPDATE lots l SET on_hand = l.on_hand + m.quantity
    FROM (SELECT lot_id, sum(quantity) AS quantity FROM new_moves WHERE lot_id IS NOT NULL
          GROUP BY lot_id HAVING sum(quantity) <> 0) m
    WHERE l.id = m.lot_id;
    RETURN NULL;
END $$;

-- On hand and its parts change through a move or not at all.
DROP TRIGGER stock_levels_on_hand_through_moves ON stock_levels;
CREATE TRIGGER stock_levels_on_hand_through_moves BEFORE UPDATE OF on_hand, value, placed, tracked ON stock_levels
    FOR EACH ROW WHEN ((OLD.on_hand, OLD.value, OLD.placed, OLD.tracked) IS DISTINCT FROM (NEW.on_hand, NEW.value, NEW.placed, NEW.tracked)
        AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_on_hand_without_move();
DROP TRIGGER stock_levels_start_empty ON stock_levels;
CREATE TRIGGER stock_levels_start_empty BEFORE INSERT ON stock_levels
    FOR EACH ROW WHEN (NEW.on_hand <> 0 OR NEW.reserved <> 0 OR NEW.value <> 0 OR NEW.placed <> 0)
    EXECUTE FUNCTION refuse_on_hand_without_move();
CREATE TRIGGER stock_places_through_moves BEFORE INSERT OR UPDATE OR DELETE ON stock_places
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_on_hand_without_move();

-- Goods on their way between warehouses lie in a warehouse of their own kind: no order reserves there.
ALTER TABLE warehouses ADD COLUMN kind text NOT NULL DEFAULT 'normal' CHECK (kind IN ('normal', 'transit')),
    ADD CONSTRAINT warehouses_default_is_normal CHECK (NOT is_default OR kind = 'normal');

ALTER TABLE stock_adjustments
    -- Absent on adjustments from before there were numbers.
    ADD COLUMN number text CONSTRAINT stock_adjustments_number_unique UNIQUE,
    ADD COLUMN kind text NOT NULL DEFAULT 'correction' CHECK (kind IN ('correction', 'opening', 'scrap'));
ALTER TABLE stock_adjustment_lines
    ADD COLUMN unit_cost numeric(14,4) CHECK (unit_cost >= 0),
    ADD COLUMN value numeric(20,4) NOT NULL DEFAULT 0,
    -- As given: [{lot, quantity, expires_on, location_id}]
    ADD COLUMN lots jsonb NOT NULL DEFAULT '[]';

-- What is expected to come: open lines of purchase orders, transfers under way. Written by whoever
-- expects it (inventory::supply), read by availability and promises.
CREATE TABLE expected_supply (
    id            uuid PRIMARY KEY,
    product_id    uuid NOT NULL REFERENCES products,
    warehouse_id  uuid NOT NULL REFERENCES warehouses,
    source_type   text NOT NULL CHECK (length(source_type) BETWEEN 1 AND 40),
    source_id     uuid NOT NULL,
    source_number text CHECK (length(source_number) BETWEEN 1 AND 100),
    expected_on   date NOT NULL,
    quantity      numeric(14,3) NOT NULL CHECK (quantity > 0),
    open_quantity numeric(14,3) NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT expected_supply_open_in_bounds CHECK (open_quantity BETWEEN 0 AND quantity)
);
CREATE INDEX expected_supply_open ON expected_supply (product_id, warehouse_id, expected_on) WHERE open_quantity > 0;

-- A promise that is held: what of a product a customer can count on until it expires. Its stock counts as
-- reserved (stock_levels.held), the rest is pegged to what is expected.
CREATE TABLE promises (
    id           uuid PRIMARY KEY,
    customer_id  uuid NOT NULL CONSTRAINT promises_customer_id_fkey REFERENCES customers,
    product_id   uuid NOT NULL REFERENCES products,
    warehouse_id uuid NOT NULL REFERENCES warehouses,
    quantity     numeric(14,3) NOT NULL CHECK (quantity > 0),
    status       text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'consumed', 'expired', 'released')),
    expires_at   timestamptz NOT NULL,
    -- Which order used it up.
    order_id     uuid,
    reason       text CHECK (length(reason) BETWEEN 1 AND 500),
    revision     bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT promises_consumed_by_order CHECK ((status = 'consumed') = (order_id IS NOT NULL))
);
CREATE INDEX promises_active ON promises (product_id, warehouse_id, expires_at) WHERE status = 'active';
CREATE INDEX promises_due ON promises (expires_at) WHERE status = 'active';
CREATE INDEX promises_by_age ON promises (created_at, id);
CREATE INDEX promises_by_customer ON promises (customer_id, created_at, id);
CREATE TABLE promise_parts (
    promise_id    uuid NOT NULL REFERENCES promises,
    position      int NOT NULL,
    source        text NOT NULL CHECK (source IN ('stock', 'supply', 'lead_time')),
    supply_id     uuid REFERENCES expected_supply,
    quantity      numeric(14,3) NOT NULL CHECK (quantity > 0),
    -- Of it still held: reserved in stock, or pegged to the supply.
    held_quantity numeric(14,3) NOT NULL DEFAULT 0,
    available_on  date NOT NULL,
    PRIMARY KEY (promise_id, position),
    CONSTRAINT promise_parts_supply CHECK ((source = 'supply') = (supply_id IS NOT NULL)),
    CONSTRAINT promise_parts_held_in_bounds CHECK (held_quantity BETWEEN 0 AND quantity),
    CONSTRAINT promise_parts_lead_time_holds_nothing CHECK (source <> 'lead_time' OR held_quantity = 0)
);
CREATE INDEX promise_parts_pegged ON promise_parts (supply_id) WHERE held_quantity > 0 AND supply_id IS NOT NULL;

-- An order may name the promise that it makes use of.
ALTER TABLE sales_orders ADD COLUMN promise_id uuid CONSTRAINT sales_orders_promise_id_fkey REFERENCES promises;

-- Goods moved between warehouses in two steps; on the way they lie in a transit warehouse.
CREATE TABLE transfers (
    id                   uuid PRIMARY KEY,
    number               text CONSTRAINT transfers_number_unique UNIQUE,
    status               text NOT NULL CHECK (status IN ('in_transit', 'received', 'closed')),
    from_warehouse_id    uuid NOT NULL REFERENCES warehouses,
    to_warehouse_id      uuid NOT NULL REFERENCES warehouses,
    transit_warehouse_id uuid NOT NULL REFERENCES warehouses,
    shipped_on           date NOT NULL,
    expected_on          date NOT NULL,
    note                 text CHECK (length(note) BETWEEN 1 AND 500),
    -- Why a rest was written off.
    close_reason         text CHECK (length(close_reason) BETWEEN 1 AND 500),
    version              bigint NOT NULL DEFAULT 1,
    revision             bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    CONSTRAINT transfers_elsewhere CHECK (from_warehouse_id <> to_warehouse_id)
);
CREATE INDEX transfers_by_age ON transfers (created_at, id);
CREATE INDEX transfers_by_date ON transfers (shipped_on, id);
CREATE INDEX transfers_under_way ON transfers (shipped_on) WHERE status = 'in_transit';
CREATE TABLE transfer_lines (
    id                   uuid PRIMARY KEY,
    transfer_id          uuid NOT NULL REFERENCES transfers,
    position             int NOT NULL,
    product_id           uuid NOT NULL REFERENCES products,
    quantity             numeric(14,3) NOT NULL CHECK (quantity > 0),
    received_quantity    numeric(14,3) NOT NULL DEFAULT 0 CHECK (received_quantity >= 0),
    written_off_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (written_off_quantity >= 0),
    -- What it was worth when it left.
    value                numeric(20,4) NOT NULL,
    -- Under way: [{lot_id, quantity}]
    open_lots            jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT transfer_lines_position_unique UNIQUE (transfer_id, position),
    CONSTRAINT transfer_lines_within_shipped CHECK (received_quantity + written_off_quantity <= quantity)
);

-- Counting what is there: a sheet that is filled in, then approved by somebody else.
CREATE TABLE stock_counts (
    id           uuid PRIMARY KEY,
    number       text CONSTRAINT stock_counts_number_unique UNIQUE,
    warehouse_id uuid NOT NULL REFERENCES warehouses,
    status       text NOT NULL CHECK (status IN ('draft', 'counted', 'posted', 'cancelled')),
    -- Whoever counts does not see what is expected.
    blind        boolean NOT NULL,
    note         text CHECK (length(note) BETWEEN 1 AND 500),
    -- The day of the sheet; once posted, the posting date.
    counted_on   date NOT NULL,
    -- API keys: the approver is none of the counters.
    counted_by   uuid[] NOT NULL DEFAULT '{}',
    approved_by  uuid,
    reason       text CHECK (length(reason) BETWEEN 1 AND 500),
    version      bigint NOT NULL DEFAULT 1,
    revision     bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT stock_counts_approved_by_another CHECK ((status = 'posted') = (approved_by IS NOT NULL) AND approved_by <> ALL (counted_by))
);
CREATE INDEX stock_counts_by_age ON stock_counts (created_at, id);
CREATE INDEX stock_counts_open ON stock_counts (counted_on) WHERE status IN ('draft', 'counted');
CREATE TABLE stock_count_lines (
    id               uuid PRIMARY KEY,
    count_id         uuid NOT NULL REFERENCES stock_counts,
    position         int NOT NULL,
    product_id       uuid NOT NULL REFERENCES products,
    lot_id           uuid REFERENCES lots,
    location_id      uuid REFERENCES locations,
    counted_quantity numeric(14,3) CHECK (counted_quantity >= 0),
    -- What the books said at the moment of counting: what moves later does not count.
    book_quantity    numeric(14,3) CHECK (book_quantity >= 0),
    counted_at       timestamptz,
    -- Posted, with the sign of the difference.
    value            numeric(20,4),
    CONSTRAINT stock_count_lines_position_unique UNIQUE (count_id, position),
    CONSTRAINT stock_count_lines_place_unique UNIQUE NULLS NOT DISTINCT (count_id, product_id, lot_id, location_id),
    CONSTRAINT stock_count_lines_counted CHECK ((counted_quantity IS NULL) = (book_quantity IS NULL))
);
