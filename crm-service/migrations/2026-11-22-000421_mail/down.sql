DROP INDEX customers_by_address;
DROP INDEX contacts_by_address;
DROP TABLE outgoing_mails;
DROP TABLE email_contents;
DROP TABLE email_templates;
