ALTER TABLE customer_credits DROP COLUMN tiers;
