DROP TABLE exchange_rates, company;
