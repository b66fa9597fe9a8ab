DROP TABLE allocations, journal_entry_lines, open_items, account_months, journal_entries, posting_rules, dimensions, journals,
    series_numbers, series, periods, fiscal_years, accounts;
DROP FUNCTION refuse_account_turn, apply_journal_entry_lines, refuse_open_amount_without_entry, refuse_closed_period, check_posted_entry,
    refuse_posted_entry_change, make_fiscal_year;
DROP EXTENSION btree_gist;
ALTER TABLE company DROP COLUMN fiscal_year_start_month;
