DROP TABLE sales_return_lines;
DROP TABLE sales_returns;
ALTER TABLE delivery_lines DROP COLUMN value, DROP COLUMN lots;
DROP FUNCTION customer_tier;
ALTER TABLE customers DROP COLUMN tier_valid_to;
DROP TRIGGER customers_keep_new_grade ON customers;
DROP TRIGGER customers_keep_grade ON customers;
DROP FUNCTION keep_customer_grade;
DROP TABLE customer_grades;
DROP TABLE grade_tiers;
DROP FUNCTION price_for;
DELETE FROM prices USING price_lists WHERE price_lists.id = prices.price_list_id AND price_lists.customer_id IS NOT NULL;
DELETE FROM price_lists WHERE customer_id IS NOT NULL;
ALTER TABLE price_lists
    DROP CONSTRAINT price_lists_tier_or_customer,
    DROP CONSTRAINT price_lists_one_per_tier,
    DROP COLUMN customer_id,
    ADD CONSTRAINT price_lists_one_per_tier UNIQUE NULLS NOT DISTINCT (currency, tier);
ALTER TABLE sales_order_lines
    DROP COLUMN invoiced_quantity, DROP COLUMN returned_quantity, DROP COLUMN returned_uninvoiced_quantity, DROP COLUMN taxes;
DROP INDEX sales_orders_uninvoiced;
ALTER TABLE sales_orders
    DROP COLUMN invoicing, DROP COLUMN payment, DROP COLUMN invoicing_policy, DROP COLUMN prices_include_tax, DROP COLUMN tax_rounding,
    DROP COLUMN uninvoiced_gross, DROP COLUMN charges, DROP COLUMN change_requests, DROP COLUMN shipping_address,
    DROP COLUMN legal_entity_id, DROP COLUMN department_id, DROP COLUMN project_id;
CREATE INDEX sales_orders_exposed ON sales_orders (customer_id) INCLUDE (gross, currency)
    WHERE lifecycle = 'confirmed' AND credit_counted;
ALTER TABLE company DROP COLUMN invoicing_policy;
