-- Prices of one customer go before those of its tier.
ALTER TABLE prices ADD COLUMN customer_id uuid;

-- What was asked to be changed of a submitted order, each with the ERP's answer:
-- [{id, requested_at, kind, …, state, answer, answered_at}]
ALTER TABLE orders ADD COLUMN change_requests json;
