DROP INDEX customers_email_parts;
DROP INDEX customers_name_parts;
DROP TABLE customer_keys;
