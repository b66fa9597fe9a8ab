DROP TABLE customer_import_undos;
DROP TABLE customer_import_changes;
