CREATE FUNCTION rate_of_pair(one text, other text, on_day date, OUT rate numeric, OUT rated_on date)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN r.reference = one THEN r.rate ELSE 1::numeric(40, 28) / r.rate END, r.rated_on
    FROM exchange_rates r
    WHERE r.pair = least(one COLLATE "C", other COLLATE "C") || greatest(one COLLATE "C", other COLLATE "C")
      AND r.rated_on BETWEEN on_day - 7 AND on_day
    ORDER BY r.rated_on DESC LIMIT 1
$$;
CREATE OR REPLACE FUNCTION rate_to_base(of_currency text, on_day date) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN of_currency = c.base_currency THEN 1 ELSE (
        SELECT found.rate FROM (
            SELECT d.rate, d.rated_on, 1 AS choice FROM rate_of_pair(of_currency, c.base_currency, on_day) d
            UNION ALL
            SELECT t.rate::numeric(50, 28) / f.rate, least(t.rated_on, f.rated_on), 2
            FROM rate_of_pair(c.reference_currency, c.base_currency, on_day) t,
                 rate_of_pair(c.reference_currency, of_currency, on_day) f
            WHERE c.reference_currency NOT IN (of_currency, c.base_currency)) AS found
        WHERE found.rate IS NOT NULL ORDER BY found.rated_on DESC, found.choice LIMIT 1) END
    FROM company c
$$;
