-- What figures of sales read: whom an order is credited to, the orders that count, rates by day.

-- The owner at the order date. An order that is given to somebody else later stays credited to who
-- made it; only a draft whose day is still to come takes its credit along.
ALTER TABLE orders ADD COLUMN credited_owner_id uuid, ADD COLUMN credited_team_id uuid;
UPDATE orders SET credited_owner_id = owner_id, credited_team_id = team_id;

CREATE FUNCTION credit_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (OLD.status = 'draft' AND NEW.order_date >= current_date) THEN
        NEW.credited_owner_id := NEW.owner_id;
        NEW.credited_team_id := NEW.team_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_credited BEFORE INSERT OR UPDATE OF owner_id, team_id, order_date ON orders
    FOR EACH ROW EXECUTE FUNCTION credit_order();

-- The orders that count, by day and by customer.
CREATE INDEX orders_counted ON orders (order_date)
    INCLUDE (id, customer_id, currency, owner_id, team_id, credited_owner_id, credited_team_id)
    WHERE status IN ('accepted', 'on_hold', 'partially_delivered', 'delivered', 'closed');
CREATE INDEX orders_counted_of_customer ON orders (customer_id, order_date, id) INCLUDE (owner_id, team_id)
    WHERE status IN ('accepted', 'on_hold', 'partially_delivered', 'delivered', 'closed');

-- The rule of `currencies::rate`, for figures over many days: the latest rate of the pair on or before
-- the day, at most seven days old, or the cross through the reference currency if that is newer.
CREATE FUNCTION quoted_rate(one text, other text, day date, OUT rate numeric, OUT rated_on date)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN r.reference = one THEN r.rate ELSE 1::numeric(40, 28) / r.rate END, r.rated_on
    FROM exchange_rates r
    WHERE r.pair = least(one COLLATE "C", other COLLATE "C") || greatest(one COLLATE "C", other COLLATE "C")
      AND r.rated_on BETWEEN day - 7 AND day
    ORDER BY r.rated_on DESC LIMIT 1
$$;
CREATE FUNCTION rate_of_day(one text, other text, via text, day date) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN one = other THEN 1 ELSE (
        SELECT rate FROM (
            SELECT d.rate, d.rated_on, 1 AS choice FROM quoted_rate(one, other, day) d
            UNION ALL
            SELECT t.rate::numeric(50, 28) / f.rate, least(t.rated_on, f.rated_on), 2
            FROM quoted_rate(via, other, day) t, quoted_rate(via, one, day) f
            WHERE via NOT IN (one, other) AND t.rate IS NOT NULL AND f.rate IS NOT NULL) AS found
        WHERE rate IS NOT NULL ORDER BY rated_on DESC, choice LIMIT 1) END
$$;
