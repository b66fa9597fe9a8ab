ALTER TABLE email_contents DROP COLUMN despite_withdrawn;
