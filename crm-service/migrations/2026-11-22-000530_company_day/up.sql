-- Today where the company is, as the service tells its connections; UTC for whoever does not say.
CREATE FUNCTION company_today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (now() AT TIME ZONE coalesce(nullif(current_setting('tandem.time_zone', true), ''), 'UTC'))::date
$$;

-- The day that is still to come is the company's, not that of UTC.
CREATE OR REPLACE FUNCTION credit_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (OLD.status = 'draft' AND NEW.order_date >= company_today()) THEN
        NEW.credited_owner_id := NEW.owner_id;
        NEW.credited_team_id := NEW.team_id;
    END IF;
    RETURN NEW;
END $$;
