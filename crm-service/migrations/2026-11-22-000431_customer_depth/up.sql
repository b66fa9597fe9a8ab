-- What else is said of a customer: tags, the company above it, custom fields; and the customer that
-- it became part of.

ALTER TABLE customers
    ADD COLUMN tags          text[] NOT NULL DEFAULT '{}' CONSTRAINT customers_few_tags CHECK (cardinality(tags) <= 50),
    ADD COLUMN parent_id     uuid CONSTRAINT customers_parent_known REFERENCES customers (id),
    ADD COLUMN custom_fields jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(custom_fields) = 'object'),
    -- always the last of a chain of merges
    ADD COLUMN merged_into   uuid CONSTRAINT customers_survivor_known REFERENCES customers (id),
    ADD COLUMN merged_at     timestamptz,
    ADD CONSTRAINT customers_not_their_own_parent CHECK (parent_id <> id),
    ADD CONSTRAINT customers_not_into_themselves CHECK (merged_into <> id),
    ADD CONSTRAINT customers_merged_when CHECK ((merged_into IS NULL) = (merged_at IS NULL)),
    ADD CONSTRAINT customers_merged_are_archived CHECK (merged_into IS NULL OR status = 'archived');

CREATE INDEX customers_by_tag ON customers USING gin (tags);
CREATE INDEX customers_by_parent ON customers (parent_id, name, id) WHERE parent_id IS NOT NULL;
CREATE INDEX customers_by_survivor ON customers (merged_into) WHERE merged_into IS NOT NULL;
-- Equality and choices of any custom field; small, because it holds a hash of key and value.
CREATE INDEX customers_by_custom_field ON customers USING gin (custom_fields jsonb_path_ops);

-- The tree of companies: no cycle, and not deeper than ten. Who sets a parent holds the lock of the
-- tree, so that two at once do not close a circle that neither sees.
CREATE FUNCTION refuse_customer_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    above int;
    below int;
BEGIN
    WITH RECURSIVE ancestors (id, depth) AS (
        SELECT NEW.parent_id, 1
        UNION ALL
        SELECT c.parent_id, a.depth + 1 FROM customers c JOIN ancestors a ON c.id = a.id
        WHERE c.parent_id IS NOT NULL AND a.depth <= 10 AND a.id <> NEW.id)
    SELECT max(depth) INTO above FROM ancestors WHERE NOT EXISTS (SELECT FROM ancestors o WHERE o.id = NEW.id);
    IF above IS NULL THEN
        RAISE EXCEPTION 'customer % would be its own ancestor', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'customers_acyclic', TABLE = 'customers';
    END IF;
    WITH RECURSIVE descendants (id, depth) AS (
        SELECT NEW.id, 0
        UNION ALL
        SELECT c.id, d.depth + 1 FROM customers c JOIN descendants d ON c.parent_id = d.id WHERE d.depth <= 10)
    SELECT max(depth) INTO below FROM descendants;
    IF above + below > 9 THEN
        RAISE EXCEPTION 'the tree above and below customer % would be too deep', NEW.id
            USING ERRCODE = '23514', CONSTRAINT = 'customers_tree_depth', TABLE = 'customers';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER customers_acyclic AFTER INSERT OR UPDATE OF parent_id ON customers
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION refuse_customer_cycle();
