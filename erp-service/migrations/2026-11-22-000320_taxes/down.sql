DROP VIEW tax_lines;
DROP TABLE tax_rules, tax_rates, tax_codes;
ALTER TABLE journal_entry_lines DROP CONSTRAINT journal_entry_lines_tax, DROP COLUMN tax_rate, DROP COLUMN tax_kind;
ALTER TABLE customers DROP COLUMN tax_class;
ALTER TABLE products DROP COLUMN tax_class;
ALTER TABLE company DROP COLUMN tax_rounding;
