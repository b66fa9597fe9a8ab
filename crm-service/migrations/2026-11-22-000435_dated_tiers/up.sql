-- The tiers of a customer, each from its day on, as the ERP told them: [{from, tier}].
ALTER TABLE customer_credits ADD COLUMN tiers json;
