-- A CRM as it looks after years: 100,000 customers with a contact, an address and credit facts each,
-- 50,000 deals and 1,000,000 activities. Owners are the users that are there.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL synchronous_commit = off;
SET LOCAL maintenance_work_mem = '512MB';
SELECT setseed(0.5);

CREATE TEMP TABLE people AS
SELECT row_number() OVER (ORDER BY email) - 1 AS n, id, team_id FROM users WHERE email LIKE 'bench-%';
CREATE TEMP TABLE words AS
SELECT ARRAY['Nordic', 'Harbour', 'Alpine', 'Silver', 'Granite', 'Meadow', 'Velvet', 'Copper', 'Sunrise', 'Baltic',
             'Orchard', 'Falcon', 'Juniper', 'Marble', 'Lantern', 'Willow', 'Summit', 'Coral', 'Ember', 'Quartz'] AS first,
       ARRAY['Trading', 'Foods', 'Logistics', 'Textiles', 'Machinery', 'Pharma', 'Printing', 'Farms', 'Motors', 'Optics',
             'Bakery', 'Timber', 'Chemicals', 'Shipping', 'Ceramics', 'Electrics', 'Beverages', 'Packaging'] AS second,
       ARRAY['call back', 'send the offer', 'delivery date', 'complaint', 'price list', 'visit', 'sample', 'contract',
             'renewal', 'invoice', 'introduction', 'demo', 'budget', 'trade fair', 'logistics', 'quality'] AS topic;

CREATE TEMP TABLE crowd AS
SELECT n, gen_random_uuid() AS id, now() - (100000 - n) * interval '10 minutes' AS created_at,
       format('%s %s %s', first[1 + (random() * 19.99)::int % 20], second[1 + (random() * 17.99)::int % 18], n) AS name
FROM generate_series(1, 100000) AS n, words;
ALTER TABLE crowd ADD PRIMARY KEY (n);

INSERT INTO customers (id, name, kind, email, phone, created_at, updated_at, owner_id, team_id)
SELECT c.id, c.name, 'company', 'office' || c.n || '@example.com', '+49 30 ' || c.n, c.created_at, c.created_at, p.id, p.team_id
FROM crowd c JOIN people p ON p.n = c.n % (SELECT count(*) FROM people);
INSERT INTO contacts (id, customer_id, name, email, created_at, updated_at)
SELECT gen_random_uuid(), id, 'Contact Person ' || n, 'person' || n || '@example.com', created_at, created_at FROM crowd;
INSERT INTO addresses (id, customer_id, kind, street, city, country, created_at, updated_at)
SELECT gen_random_uuid(), id, 'billing', n || ' Main Street', 'Town ' || n % 500, (ARRAY['DE', 'FR', 'GB', 'US'])[1 + n % 4],
       created_at, created_at FROM crowd;
INSERT INTO customer_credits (customer_id, credit_hold, blocked, source_version, as_of)
SELECT id, false, false, 1, created_at FROM crowd;

CREATE TEMP TABLE chances AS
SELECT c.n, gen_random_uuid() AS id, c.id AS customer_id, p.id AS owner_id, p.team_id, c.n % 5 < 2 AS open,
       CASE WHEN c.n % 5 < 2 THEN 'open' WHEN c.n % 3 = 0 THEN 'lost' ELSE 'won' END AS state, s.id AS stage_id,
       s.key, s.position, s.version_id, s.pipeline_id, s.probability, (100 + c.n % 9000)::numeric AS amount, current_date + (c.n % 180)::int AS close_on,
       now() - (50000 - c.n) * interval '20 minutes' AS at, 'Supply of ' || second[1 + c.n % 18] || ' ' || c.n AS name
FROM crowd c
JOIN people p ON p.n = c.n % (SELECT count(*) FROM people)
JOIN pipeline_versions v ON v.pipeline_id = (SELECT id FROM pipelines WHERE is_default) AND v.state = 'published'
JOIN pipeline_stages s ON s.version_id = v.id AND s.position = 1 + (c.n / 7) % 4, words
WHERE c.n <= 50000;
INSERT INTO deals (id, name, customer_id, pipeline_id, stage_id, stage_key, state, currency, amount, amount_given,
                   probability, weighted_amount, expected_close_on, source, loss_reason, closed_on, base_amount, base_currency,
                   owner_id, team_id, stage_entered_at, version, revision, created_at, updated_at)
SELECT id, name, customer_id, pipeline_id, stage_id, key, state, 'USD', amount, true,
       probability, round(amount * probability, 2), close_on, (ARRAY['web', 'fair', 'referral', 'call'])[1 + n % 4],
       CASE WHEN state = 'lost' THEN (ARRAY['price', 'competitor', 'no_budget', 'timing'])[1 + n / 3 % 4] END,
       CASE WHEN NOT open THEN at::date END, CASE WHEN NOT open THEN amount END, CASE WHEN NOT open THEN 'USD' END,
       owner_id, team_id, at, 1, 1, at, at
FROM chances;
-- A deal has gone through the stages before its own, three days in each.
INSERT INTO deal_stays (id, deal_id, stage_id, entered_at, left_at, outcome)
SELECT gen_random_uuid(), c.id, s.id, c.at - (c.position - s.position) * interval '3 days',
       CASE WHEN s.position < c.position OR NOT c.open THEN c.at - (c.position - s.position - 1) * interval '3 days' END,
       CASE WHEN s.position < c.position THEN 'moved' WHEN NOT c.open THEN c.state END
FROM chances c JOIN pipeline_stages s ON s.version_id = c.version_id AND s.position <= c.position;

INSERT INTO activities (id, kind, state, title, body, subject_type, subject_id, customer_id, priority, due_on, due_by,
                        direction, outcome, done_at, owner_id, team_id, revision, created_at, updated_at)
SELECT gen_random_uuid(), kind, CASE WHEN done THEN 'done' ELSE 'open' END,
       -- What is open is due around today; what is done was due then, one in seven of it too late.
       topic[1 + a.n % 16] || ' ' || a.n, 'About ' || topic[1 + (a.n * 7) % 16] || ' and ' || topic[1 + (a.n * 11) % 16]
       || ' with ' || c.name, 'customer', c.id, c.id, 'normal', due, (due + 1)::timestamp AT TIME ZONE 'UTC',
       CASE kind WHEN 'call' THEN 'out' END, CASE WHEN kind = 'call' AND done THEN 'reached' END,
       CASE WHEN done THEN at END, p.id, p.team_id, 1, at, at
FROM (SELECT n, CASE n % 3 WHEN 0 THEN 'call' ELSE 'task' END AS kind, n % 10 <> 0 AS done,
             now() - (1000000 - n) * interval '1 minute' AS at, CASE WHEN n % 10 = 0 THEN current_date + (n % 60)::int - 30
             ELSE (now() - (1000000 - n) * interval '1 minute')::date + (n % 14)::int - 2 END AS due,
             1 + (n * 7919::bigint) % 100000 AS customer
      FROM generate_series(1, 1000000) AS n) a
JOIN crowd c ON c.n = a.customer JOIN people p ON p.n = c.n % (SELECT count(*) FROM people), words;
INSERT INTO timeline_entries (id, customer_id, occurred_at, source, kind, subject_type, subject, subject_version, summary, data, as_of)
SELECT gen_random_uuid(), c.id, c.created_at + k * interval '3 days', 'crm', 'customer_changed', 'customer', gen_random_uuid(), 1,
       'The customer was changed', '{}', c.created_at
FROM crowd c, generate_series(1, 5) AS k;
COMMIT;
ANALYZE;
