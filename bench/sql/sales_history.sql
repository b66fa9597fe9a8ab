-- What the customers of sales_crowd.sql bought in three years: 500,000 orders with 1,500,000 lines, one
-- order in ten in EUR, of 10,000 products in a tree of 248 categories; and what everybody is to reach.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL synchronous_commit = off;
SET LOCAL maintenance_work_mem = '512MB';

CREATE TEMP TABLE people AS
SELECT row_number() OVER (ORDER BY email) - 1 AS n, id, team_id FROM users WHERE email LIKE 'bench-%';
CREATE TEMP TABLE buyers AS
SELECT row_number() OVER (ORDER BY created_at, id) AS n, id FROM customers WHERE email LIKE 'office%@example.com';
ALTER TABLE buyers ADD PRIMARY KEY (n);

-- 8 categories of 6 of 4.
CREATE TEMP TABLE tree AS
SELECT n, gen_random_uuid() AS id, CASE WHEN n <= 8 THEN NULL WHEN n <= 56 THEN 1 + (n - 9) / 6 ELSE 9 + (n - 57) / 4 END AS above
FROM generate_series(1, 248) AS n;
INSERT INTO categories (id, name, parent_id, source_version, as_of, revision, created_at, updated_at)
SELECT t.id, 'Category ' || t.n, a.id, 1, now(), 1, now(), now() FROM tree t LEFT JOIN tree a ON a.n = t.above;
CREATE TEMP TABLE goods AS
SELECT n, gen_random_uuid() AS id, 57 + n % 192 AS category, (1 + n % 97)::numeric(14, 4) AS price
FROM generate_series(0, 9999) AS n;
ALTER TABLE goods ADD PRIMARY KEY (n);
INSERT INTO products (id, sku, name, kind, unit, category_id, status, source_version, as_of, revision, created_at, updated_at)
SELECT g.id, 'BENCH-' || g.n, 'Product ' || g.n, 'goods', 'pcs', t.id, 'active', 1, now(), 1, now(), now()
FROM goods g JOIN tree t ON t.n = g.category;
INSERT INTO exchange_rates (id, rated_on, reference, currency, rate, source_version, as_of, revision, created_at, updated_at)
SELECT gen_random_uuid(), current_date - n, 'EUR', 'USD', 1.05 + (n % 100) / 1000.0, 1, now(), 1, now(), now()
FROM generate_series(0, 1100) AS n;

-- Ids begin with their time, as those that the services mint.
CREATE TEMP TABLE sold AS
SELECT n, (lpad(to_hex(n), 12, '0') || '7000' || substr(gen_random_uuid()::text, 20, 17))::uuid AS id, 1 + (n * 7919::bigint) % (SELECT count(*) FROM buyers) AS buyer,
       current_date - ((500000 - n) * 1095 / 500000)::int AS day
FROM generate_series(1, 500000) AS n;
INSERT INTO orders (id, origin, status, customer_id, currency, order_date, net, submitted_at, number, fulfilment, source_version,
                    version, revision, created_at, updated_at, owner_id, team_id)
SELECT s.id, 'crm', CASE WHEN s.n % 50 = 0 THEN 'cancelled' WHEN s.n > 495000 THEN 'accepted' ELSE 'delivered' END, b.id,
       CASE WHEN s.n % 10 = 3 THEN 'EUR' ELSE 'USD' END, s.day, 0, s.day, 'SO-' || s.n,
       json_build_object('number', 'SO-' || s.n, 'status', 'delivered', 'as_of', s.day, 'source_version', 1, 'holds', ARRAY[]::text[],
                         'lines', ARRAY[]::text[], 'deliveries', ARRAY[]::text[]), 1, 1, 1, s.day, s.day, p.id, p.team_id
FROM sold s JOIN buyers b ON b.n = s.buyer JOIN people p ON p.n = s.buyer % (SELECT count(*) FROM people);
INSERT INTO order_lines (id, order_id, position, product_id, quantity, unit_price, price_given, discount, line_total)
SELECT (lpad(to_hex(s.n), 12, '0') || '700' || l || substr(gen_random_uuid()::text, 20, 17))::uuid, s.id, l, g.id, 1 + s.n % 12, g.price, false, 0, round((1 + s.n % 12) * g.price, 2)
FROM sold s CROSS JOIN generate_series(1, 3) AS l JOIN goods g ON g.n = (s.n * 31 + l * 2003) % 10000;

INSERT INTO plans (id, of, owner_id, team_id, month, kind, target, revision, created_at, updated_at)
SELECT gen_random_uuid(), 'user', p.id, p.team_id, date_trunc('month', current_date)::date - m * interval '1 month', kind, 100, 1,
       now(), now()
FROM people p, generate_series(0, 35) AS m, unnest(ARRAY['calls', 'deals', 'revenue', 'overdue_tasks']) AS kind;
COMMIT;
ANALYZE;
