ALTER TABLE orders DROP COLUMN quote_id;
DROP TABLE quote_documents, quote_approvals, quote_lines, quotes;
DROP SEQUENCE quote_numbers;
DROP TABLE quote_template_versions, quote_templates, discount_limits;
DROP FUNCTION refuse_quote_removal, refuse_sent_quote_line_change, refuse_sent_quote_change, refuse_published_template_change;
ALTER TABLE customers DROP COLUMN language;
