-- A customer that turned out to be another one. What it has here stays with it and ends under its name; the terms of the
-- other decide on both, and what the two may cost us is one sum.

ALTER TABLE customers
    -- always the last of a chain of merges
    ADD COLUMN merged_into uuid CONSTRAINT customers_survivor_known REFERENCES customers (id),
    ADD CONSTRAINT customers_not_into_themselves CHECK (merged_into <> id);
CREATE INDEX customers_by_survivor ON customers (merged_into) WHERE merged_into IS NOT NULL;

-- The tier of a customer on a day: that of the customer that it became part of, if it did.
CREATE OR REPLACE FUNCTION customer_tier(buyer uuid, on_day date) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        CASE WHEN c.tier_valid_to IS NULL OR c.tier_valid_to >= on_day THEN c.tier END,
        (SELECT m.tier FROM grade_tiers m
         WHERE m.grade = (SELECT g.grade FROM customer_grades g
                          WHERE g.customer_id = c.id AND (g.effective_from IS NULL OR g.effective_from <= on_day)
                          ORDER BY g.effective_from DESC NULLS LAST LIMIT 1)
           AND (m.valid_from IS NULL OR m.valid_from <= on_day)
         ORDER BY m.valid_from DESC NULLS LAST LIMIT 1),
        (SELECT m.tier FROM grade_tiers m
         WHERE m.grade IS NULL AND (m.valid_from IS NULL OR m.valid_from <= on_day)
         ORDER BY m.valid_from DESC NULLS LAST LIMIT 1))
    FROM customers c WHERE c.id = (SELECT coalesce(b.merged_into, b.id) FROM customers b WHERE b.id = buyer)
$$;

-- The tiers of a customer, each from its day on, the first from ever: [{from, tier}].
CREATE FUNCTION customer_tiers(buyer uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    WITH owner AS (SELECT coalesce(b.merged_into, b.id) AS id FROM customers b WHERE b.id = buyer),
    days AS (
        SELECT NULL::date AS day
        UNION SELECT g.effective_from FROM customer_grades g JOIN owner ON g.customer_id = owner.id
        UNION SELECT m.valid_from FROM grade_tiers m
        UNION SELECT c.tier_valid_to + 1 FROM customers c JOIN owner ON c.id = owner.id),
    dated AS (
        SELECT d.day, customer_tier(owner.id, coalesce(d.day, '-infinity')) AS tier FROM days d, owner),
    ordered AS (
        SELECT day, tier, lag(tier) OVER w AS before, row_number() OVER w AS number
        FROM dated WINDOW w AS (ORDER BY day NULLS FIRST))
    SELECT coalesce(jsonb_agg(jsonb_build_object('from', day, 'tier', tier) ORDER BY day NULLS FIRST), '[]')
    FROM ordered WHERE number = 1 OR tier IS DISTINCT FROM before
$$;
