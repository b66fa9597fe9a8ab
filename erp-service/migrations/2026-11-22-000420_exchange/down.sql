ALTER TABLE suppliers DROP CONSTRAINT suppliers_payment_terms_id_fkey;
DROP TABLE opening_stock;
DROP TABLE opening_balances;
