ALTER TABLE sessions DROP COLUMN user_agent;
DROP TABLE sign_in_failures;
ALTER TABLE users ADD COLUMN failed_sign_ins int NOT NULL DEFAULT 0 CHECK (failed_sign_ins >= 0),
                  ADD COLUMN locked_until timestamptz;
