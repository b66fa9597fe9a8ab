DROP TRIGGER products_kind_in_purchasing ON products;
DROP FUNCTION refuse_product_kind_in_purchasing();
DROP TABLE purchase_order_lines;
DROP TABLE purchase_orders;
DROP TABLE purchasing_settings;
DROP TABLE purchase_approval_limits;
DROP TABLE supplier_prices;
DROP TABLE suppliers;
