DROP INDEX deals_closed;
DROP INDEX customers_merged;
ALTER TABLE order_lines DROP CONSTRAINT order_lines_one_per_position,
    ADD CONSTRAINT order_lines_one_per_position UNIQUE (order_id, position);
