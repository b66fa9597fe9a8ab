-- Closing periods and years; number series as records that are looked at and changed.
ALTER TABLE series
    ADD COLUMN id         uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT series_id_unique UNIQUE,
    ADD COLUMN revision   bigint NOT NULL DEFAULT 1,
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    -- Two series of one prefix would give the same number twice.
    ADD CONSTRAINT series_prefix_unique UNIQUE (prefix);

ALTER TABLE fiscal_years
    -- Moves income and expense to retained earnings.
    ADD COLUMN closing_entry_id uuid REFERENCES journal_entries,
    ADD COLUMN reopen_reason    text CHECK (length(reopen_reason) BETWEEN 1 AND 500);

ALTER TABLE periods
    -- Warnings that were accepted when it was closed: [{code, reason, message}].
    ADD COLUMN accepted      jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(accepted) = 'array'),
    ADD COLUMN closed_at     timestamptz,
    ADD COLUMN closed_by     uuid,
    ADD COLUMN reopen_reason text CHECK (length(reopen_reason) BETWEEN 1 AND 500),
    ADD CONSTRAINT periods_closed_at CHECK ((status = 'closed') = (closed_at IS NOT NULL) AND (closed_at IS NULL) = (closed_by IS NULL));

-- The profit and loss account leaves them out.
CREATE INDEX journal_entries_closing ON journal_entries (posted_on) INCLUDE (id) WHERE kind = 'closing';
CREATE INDEX account_months_by_account ON account_months (account_id, month) INCLUDE (debit, credit);

-- The months of a year follow from where it begins.
CREATE FUNCTION refuse_start_month_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fiscal_years) THEN
        RAISE EXCEPTION 'there are fiscal years' USING ERRCODE = '23514', CONSTRAINT = 'company_fiscal_years_exist';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER company_fiscal_years_exist BEFORE UPDATE OF fiscal_year_start_month ON company
    FOR EACH ROW WHEN (OLD.fiscal_year_start_month <> NEW.fiscal_year_start_month) EXECUTE FUNCTION refuse_start_month_change();

-- Periods close in their order, the last closed one opens again, and a closed year keeps its periods closed.
CREATE FUNCTION check_period_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'closed' AND EXISTS (SELECT FROM periods WHERE starts_on < NEW.starts_on AND status <> 'closed')
       OR NEW.status <> 'closed' AND EXISTS (SELECT FROM periods WHERE starts_on > NEW.starts_on AND status = 'closed') THEN
        RAISE EXCEPTION 'period % is % out of order', NEW.starts_on, NEW.status USING ERRCODE = '23514', CONSTRAINT = 'periods_in_turn';
    END IF;
    IF NEW.status <> 'closed' AND EXISTS (SELECT FROM fiscal_years WHERE id = NEW.fiscal_year_id AND status = 'closed') THEN
        RAISE EXCEPTION 'the year of period % is closed', NEW.starts_on USING ERRCODE = '23514', CONSTRAINT = 'periods_year_closed';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER periods_in_turn AFTER UPDATE OF status ON periods FOR EACH ROW EXECUTE FUNCTION check_period_order();

-- What is posted is in the base currency.
CREATE FUNCTION refuse_posted_base_currency_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM journal_entries) THEN
        RAISE EXCEPTION 'there are journal entries' USING ERRCODE = '23514', CONSTRAINT = 'company_base_currency_posted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER company_base_currency_posted BEFORE UPDATE OF base_currency ON company
    FOR EACH ROW WHEN (OLD.base_currency <> NEW.base_currency) EXECUTE FUNCTION refuse_posted_base_currency_change();
