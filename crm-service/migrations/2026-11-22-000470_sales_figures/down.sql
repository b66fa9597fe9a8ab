DROP FUNCTION rate_of_day(text, text, text, date);
DROP FUNCTION quoted_rate(text, text, date);
DROP INDEX orders_counted, orders_counted_of_customer;
DROP TRIGGER orders_credited ON orders;
DROP FUNCTION credit_order();
ALTER TABLE orders DROP COLUMN credited_owner_id, DROP COLUMN credited_team_id;
