DROP TRIGGER customer_not_merged ON attachments;
