DROP TABLE events;
DROP SEQUENCE events_position;
DROP TABLE feed;
DROP TABLE audit_log;
DROP FUNCTION refuse_change();
DROP TABLE idempotency_keys;
DROP TABLE api_keys;
