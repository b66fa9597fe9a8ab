-- Prices of one customer go before those of its tier.
ALTER TABLE prices ADD COLUMN customer_id uuid;
