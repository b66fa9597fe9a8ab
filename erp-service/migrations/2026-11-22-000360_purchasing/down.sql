DROP TABLE supplier_prices;
DROP TABLE suppliers;
