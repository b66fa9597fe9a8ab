DROP TABLE stock_count_lines;
DROP TABLE stock_counts;
DROP TABLE transfer_lines;
DROP TABLE transfers;
ALTER TABLE sales_orders DROP COLUMN promise_id;
DROP TABLE promise_parts;
DROP TABLE promises;
DROP TABLE expected_supply;
ALTER TABLE stock_adjustment_lines DROP COLUMN lots, DROP COLUMN value, DROP COLUMN unit_cost;
ALTER TABLE stock_adjustments DROP COLUMN kind, DROP COLUMN number;

ALTER TABLE warehouses DROP CONSTRAINT warehouses_default_is_normal, DROP COLUMN kind;
DROP TRIGGER products_tracking_in_use ON products;
DROP FUNCTION refuse_tracking_in_use;
DROP TRIGGER stock_levels_tracked ON stock_levels;
DROP FUNCTION copy_product_tracking;
DROP TRIGGER stock_levels_start_empty ON stock_levels;
CREATE TRIGGER stock_levels_start_empty BEFORE INSERT ON stock_levels
    FOR EACH ROW WHEN (NEW.on_hand <> 0 OR NEW.reserved <> 0)
    EXECUTE FUNCTION refuse_on_hand_without_move();
DROP TRIGGER stock_levels_on_hand_through_moves ON stock_levels;
CREATE TRIGGER stock_levels_on_hand_through_moves BEFORE UPDATE OF on_hand ON stock_levels
    FOR EACH ROW WHEN (OLD.on_hand IS DISTINCT FROM NEW.on_hand AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION refuse_on_hand_without_move();
CREATE OR REPLACE FUNCTION apply_stock_moves() RETURNS trigger LANGUAGE plpgsql AS $$
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
DROP FUNCTION stock_share;
DROP TABLE stock_places;
ALTER TABLE stock_levels
    DROP CONSTRAINT stock_levels_held_within_reserved,
    DROP CONSTRAINT stock_levels_all_in_lots,
    DROP CONSTRAINT stock_levels_placed_within_on_hand,
    DROP COLUMN held,
    DROP COLUMN placed,
    DROP COLUMN tracked,
    DROP CONSTRAINT stock_levels_nothing_is_worth_nothing,
    DROP CONSTRAINT stock_levels_value_in_bounds,
    DROP CONSTRAINT stock_levels_value_not_negative,
    DROP COLUMN value;
ALTER TABLE stock_moves
    DROP CONSTRAINT stock_moves_location_fkey,
    DROP CONSTRAINT stock_moves_lot_fkey,
    DROP COLUMN location_id,
    DROP COLUMN lot_id,
    DROP CONSTRAINT stock_moves_value_follows_quantity,
    DROP CONSTRAINT stock_moves_something,
    DROP CONSTRAINT stock_moves_kind_known,
    ADD CONSTRAINT stock_moves_kind_check CHECK (kind IN ('adjustment', 'delivery')),
    ADD CONSTRAINT stock_moves_quantity_not_zero CHECK (quantity <> 0),
    DROP COLUMN value;
DROP TABLE locations;
DROP TABLE lots;
ALTER TABLE products DROP CONSTRAINT products_tracked_goods, DROP COLUMN tracking;
