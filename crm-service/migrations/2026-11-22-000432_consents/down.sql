DROP TABLE consents;
DROP FUNCTION keep_consent;
