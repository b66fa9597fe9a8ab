-- Whose exposure orders have changed since it was told: filled from the event feed, beside the commands that change orders.
CREATE TABLE exposures_due (
    customer_id uuid CONSTRAINT exposures_due_pkey PRIMARY KEY CONSTRAINT exposures_due_customer_known REFERENCES customers (id),
    since       timestamptz NOT NULL
);
CREATE INDEX exposures_due_by_age ON exposures_due (since, customer_id);

-- How far the feed was read.
CREATE TABLE exposure_cursor (
    singleton boolean CONSTRAINT exposure_cursor_pkey PRIMARY KEY DEFAULT true CONSTRAINT exposure_cursor_single CHECK (singleton),
    cursor    text
);
INSERT INTO exposure_cursor DEFAULT VALUES;
