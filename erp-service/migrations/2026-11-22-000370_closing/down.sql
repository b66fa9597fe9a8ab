DROP TRIGGER periods_in_turn ON periods;
DROP TRIGGER company_fiscal_years_exist ON company;
DROP TRIGGER company_base_currency_posted ON company;
DROP FUNCTION refuse_posted_base_currency_change, check_period_order, refuse_start_month_change;
DROP INDEX account_months_by_account, journal_entries_closing;
ALTER TABLE periods DROP COLUMN accepted, DROP COLUMN closed_at, DROP COLUMN closed_by, DROP COLUMN reopen_reason;
ALTER TABLE fiscal_years DROP COLUMN closing_entry_id, DROP COLUMN reopen_reason;
ALTER TABLE series DROP CONSTRAINT series_prefix_unique, DROP COLUMN id, DROP COLUMN revision, DROP COLUMN created_at, DROP COLUMN updated_at;
