-- What customers are compared by: names without case, accents, legal forms and punctuation; e-mail
-- addresses, the ends of telephone numbers, tax numbers; those of contacts and legal entities included.
-- The service computes them whenever a customer is written.

-- Similarity of texts. A contrib module, trusted since PostgreSQL 13.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE customer_keys (
    customer_id uuid NOT NULL REFERENCES customers (id),
    kind        text NOT NULL CHECK (kind IN ('name', 'email', 'phone', 'tax_id')),
    key         text NOT NULL CHECK (length(key) BETWEEN 1 AND 400),
    PRIMARY KEY (kind, key, customer_id)
);
CREATE INDEX customer_keys_of_customer ON customer_keys (customer_id);
CREATE INDEX customer_keys_similar_names ON customer_keys USING gin (key gin_trgm_ops) WHERE kind = 'name';

-- Those who are there already are compared by what SQL can say; their next change makes it exact.
INSERT INTO customer_keys
SELECT id, 'name', btrim(regexp_replace(translate(lower(name), 'àáâãäåçèéêëìíîïñòóôõöùúûüýÿ', 'aaaaaaceeeeiiiinooooouuuuyy'), '[^[:alnum:]]+', ' ', 'g'))
FROM customers WHERE name ~ '[[:alnum:]]'
UNION
SELECT id, 'email', lower(email) FROM customers WHERE email IS NOT NULL
UNION
SELECT id, 'phone', right(regexp_replace(phone, '\D', '', 'g'), 9) FROM customers
WHERE length(regexp_replace(phone, '\D', '', 'g')) >= 7
UNION
SELECT id, 'tax_id', upper(regexp_replace(tax_id, '[^[:alnum:]]', '', 'g')) FROM customers WHERE tax_id ~ '[[:alnum:]]'
ON CONFLICT DO NOTHING;

-- People look for a part of a name or an address, among a hundred thousand.
CREATE INDEX customers_name_parts ON customers USING gin (name gin_trgm_ops);
CREATE INDEX customers_email_parts ON customers USING gin (email gin_trgm_ops);
