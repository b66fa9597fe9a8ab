DROP TABLE import_undos;
DROP TABLE import_changes;
