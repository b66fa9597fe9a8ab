-- What is expected and can still be promised, by day: [{expected_on, quantity}]. Nothing is known of it for
-- what was told before.
ALTER TABLE availability
    ADD COLUMN incoming jsonb NOT NULL DEFAULT '[]',
    ADD CONSTRAINT availability_incoming_bounded CHECK (jsonb_typeof(incoming) = 'array' AND jsonb_array_length(incoming) <= 60);
