ALTER TABLE stock_levels DROP COLUMN incoming;
DROP FUNCTION promisable_incoming;
