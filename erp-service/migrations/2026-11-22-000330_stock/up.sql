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

CREATE OR REPLACE FUNCTION apply_stock_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What only changes the value is no news to those who ask what is available.
    UPDATE stock_levels l
    SET on_hand = l.on_hand + m.quantity,
        value = l.value + m.value,
        last_move_on = greatest(l.last_move_on, m.moved_on),
        version = l.version + (m.quantity <> 0)::int,
        updated_at = CASE WHEN m.quantity <> 0 THEN m.recorded_at ELSE l.updated_at END
    FROM (SELECT product_id, warehouse_id, sum(quantity) AS quantity, sum(value) AS value, max(moved_on) AS moved_on,
                 max(recorded_at) AS recorded_at
          FROM new_moves GROUP BY product_id, warehouse_id) m
    WHERE l.product_id = m.product_id AND l.warehouse_id = m.warehouse_id;
    RETURN NULL;
END $$;

DROP TRIGGER stock_levels_on_hand_through_moves ON stock_levels;
CREATE TRIGGER stock_levels_on_hand_through_moves BEFORE UPDATE OF on_hand, value ON stock_levels
    FOR EACH ROW WHEN ((OLD.on_hand, OLD.value) IS DISTINCT FROM (NEW.on_hand, NEW.value) AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_on_hand_without_move();
DROP TRIGGER stock_levels_start_empty ON stock_levels;
CREATE TRIGGER stock_levels_start_empty BEFORE INSERT ON stock_levels
    FOR EACH ROW WHEN (NEW.on_hand <> 0 OR NEW.reserved <> 0 OR NEW.value <> 0)
    EXECUTE FUNCTION refuse_on_hand_without_move();

ALTER TABLE stock_adjustments
    -- Absent on adjustments from before there were numbers.
    ADD COLUMN number text CONSTRAINT stock_adjustments_number_unique UNIQUE,
    ADD COLUMN kind text NOT NULL DEFAULT 'correction' CHECK (kind IN ('correction', 'opening'));
ALTER TABLE stock_adjustment_lines
    ADD COLUMN unit_cost numeric(14,4) CHECK (unit_cost >= 0),
    ADD COLUMN value numeric(20,4) NOT NULL DEFAULT 0;

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
