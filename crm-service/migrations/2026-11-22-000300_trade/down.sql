ALTER TABLE orders DROP COLUMN change_requests;
DELETE FROM prices WHERE customer_id IS NOT NULL;
ALTER TABLE prices DROP COLUMN customer_id;
