CREATE OR REPLACE FUNCTION credit_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (OLD.status = 'draft' AND NEW.order_date >= current_date) THEN
        NEW.credited_owner_id := NEW.owner_id;
        NEW.credited_team_id := NEW.team_id;
    END IF;
    RETURN NEW;
END $$;
DROP FUNCTION company_today();
