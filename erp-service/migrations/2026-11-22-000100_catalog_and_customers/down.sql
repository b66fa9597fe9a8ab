DROP TABLE company, customers, prices, price_lists, products, categories, units;
DROP FUNCTION refuse_base_currency_change, refuse_category_cycle;
