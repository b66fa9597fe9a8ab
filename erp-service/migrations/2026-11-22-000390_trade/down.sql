ALTER TABLE sales_order_lines
    DROP COLUMN invoiced_quantity, DROP COLUMN returned_quantity, DROP COLUMN returned_uninvoiced_quantity, DROP COLUMN taxes;
DROP INDEX sales_orders_uninvoiced;
ALTER TABLE sales_orders
    DROP COLUMN invoicing, DROP COLUMN payment, DROP COLUMN invoicing_policy, DROP COLUMN prices_include_tax,
    DROP COLUMN uninvoiced_gross, DROP COLUMN charges, DROP COLUMN change_requests, DROP COLUMN shipping_address,
    DROP COLUMN legal_entity_id, DROP COLUMN department_id, DROP COLUMN project_id;
CREATE INDEX sales_orders_exposed ON sales_orders (customer_id) INCLUDE (gross, currency)
    WHERE lifecycle = 'confirmed' AND credit_counted;
ALTER TABLE company DROP COLUMN invoicing_policy;
