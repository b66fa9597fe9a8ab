-- What is expected of a product in a warehouse and can still be promised, by day: less what promises have
-- pegged of it, and less what orders wait for, which are served by what comes first. At most 60 days; all
-- that comes later counts for the last of them.
CREATE FUNCTION promisable_incoming(product uuid, warehouse uuid, at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH days AS (
        SELECT s.expected_on, sum(greatest(s.open_quantity - coalesce(pegs.quantity, 0), 0)) AS quantity
        FROM expected_supply s
        LEFT JOIN LATERAL (
            SELECT sum(p.held_quantity) AS quantity
            FROM promise_parts p JOIN promises m ON m.id = p.promise_id
            WHERE p.supply_id = s.id AND p.held_quantity > 0 AND m.status = 'active' AND m.expires_at > at) pegs ON true
        WHERE s.product_id = product AND s.warehouse_id = warehouse AND s.open_quantity > 0
        GROUP BY s.expected_on),
    waiting AS (
        SELECT coalesce(sum(l.backordered_quantity), 0) AS quantity
        FROM sales_order_lines l JOIN sales_orders o ON o.id = l.order_id
        WHERE l.known_product_id = product AND l.backordered_quantity > 0 AND o.lifecycle = 'confirmed'
          AND o.warehouse_id = warehouse),
    by_then AS (
        SELECT days.expected_on,
               greatest(sum(days.quantity) OVER (ORDER BY days.expected_on) - waiting.quantity, 0) AS quantity
        FROM days CROSS JOIN waiting),
    each AS (
        SELECT expected_on, quantity - coalesce(lag(quantity) OVER (ORDER BY expected_on), 0) AS quantity FROM by_then),
    numbered AS (
        SELECT expected_on, quantity, row_number() OVER (ORDER BY expected_on) AS position, max(expected_on) OVER () AS last
        FROM each WHERE quantity > 0),
    bounded AS (
        SELECT CASE WHEN position < 60 THEN expected_on ELSE last END AS expected_on, sum(quantity) AS quantity
        FROM numbered GROUP BY 1)
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'expected_on', expected_on, 'quantity', trim_scale(least(quantity, 99999999))::text) ORDER BY expected_on), '[]')
    FROM bounded
$$;

-- Kept with the level, so that whoever announces a level has it at hand.
ALTER TABLE stock_levels
    ADD COLUMN incoming jsonb NOT NULL DEFAULT '[]',
    ADD CONSTRAINT stock_levels_incoming_bounded CHECK (jsonb_typeof(incoming) = 'array' AND jsonb_array_length(incoming) <= 60);

INSERT INTO stock_levels (product_id, warehouse_id)
SELECT DISTINCT product_id, warehouse_id FROM expected_supply WHERE open_quantity > 0
ON CONFLICT (product_id, warehouse_id) DO NOTHING;
-- A newer version, so that a resync brings it to those who know the level without.
UPDATE stock_levels l SET incoming = i.incoming, version = l.version + 1
FROM (SELECT id, promisable_incoming(product_id, warehouse_id, now()) AS incoming FROM stock_levels) i
WHERE l.id = i.id AND i.incoming <> '[]';
