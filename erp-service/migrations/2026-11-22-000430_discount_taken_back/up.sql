-- A credit note on what was paid with a cash discount takes the discount's share back.
ALTER TABLE invoices
    ADD COLUMN discount_taken_back numeric(20,4) NOT NULL DEFAULT 0,
    -- The lines that this posted, so that the last credit note takes what is left of each.
    ADD COLUMN discount_parts jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(discount_parts) = 'array'),
    ADD CONSTRAINT invoices_discount_within CHECK (discount_taken_back BETWEEN 0 AND gross);
