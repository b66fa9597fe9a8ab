DROP TABLE exchange_rates;
ALTER TABLE company DROP COLUMN reference_currency;
