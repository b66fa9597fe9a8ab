DROP TABLE bank_posting_rules, bank_statement_lines, bank_statements;
DROP TABLE settlements, clearings, payments, opening_items, bank_accounts;
DROP TRIGGER company_base_currency_followed ON company;
DROP FUNCTION follow_base_currency;
ALTER TABLE company DROP COLUMN discount_tax, DROP COLUMN bad_debt_tax, DROP COLUMN write_off_limit;
