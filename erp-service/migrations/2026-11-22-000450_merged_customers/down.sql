DROP FUNCTION customer_tiers;
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
    FROM customers c WHERE c.id = buyer
$$;
ALTER TABLE customers DROP COLUMN merged_into;
