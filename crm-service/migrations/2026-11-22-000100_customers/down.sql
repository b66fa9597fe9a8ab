DROP TABLE timeline_entries;
DROP TABLE customer_credits;
DROP TABLE legal_entities;
DROP TABLE addresses;
DROP TABLE contacts;
DROP TABLE customers;
DROP EXTENSION IF EXISTS btree_gist;
