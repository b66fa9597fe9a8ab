DROP TABLE order_lines;
DROP TABLE orders;
DROP TABLE availability;
DROP TABLE prices;
DROP TABLE products;
DROP TABLE categories;
