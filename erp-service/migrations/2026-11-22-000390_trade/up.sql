-- Orders: what is invoiced, returned and paid of them, what they cost beside the goods, and where they go.

ALTER TABLE company ADD COLUMN invoicing_policy text NOT NULL DEFAULT 'delivered'
    CONSTRAINT company_invoicing_policy CHECK (invoicing_policy IN ('ordered', 'delivered'));

ALTER TABLE sales_orders
    -- Beside `delivery`: how much is invoiced of it, and paid.
    ADD COLUMN invoicing text NOT NULL DEFAULT 'none' CHECK (invoicing IN ('none', 'partial', 'full')),
    ADD COLUMN payment text NOT NULL DEFAULT 'none' CHECK (payment IN ('none', 'partial', 'full')),
    ADD COLUMN invoicing_policy text NOT NULL DEFAULT 'delivered' CHECK (invoicing_policy IN ('ordered', 'delivered')),
    ADD COLUMN prices_include_tax boolean NOT NULL DEFAULT false,
    -- Gross in the order's currency that is still to be invoiced. Kept at every save; it counts
    -- towards the exposure of the customer.
    ADD COLUMN uninvoiced_gross numeric(20,4) NOT NULL DEFAULT 0
        CONSTRAINT sales_orders_uninvoiced_not_negative CHECK (uninvoiced_gross >= 0),
    -- [{id, kind, description, amount, taxes, invoiced_amount}]
    ADD COLUMN charges jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(charges) = 'array'),
    -- [{id, requested_at, kind, …, state, answer, answered_at}]
    ADD COLUMN change_requests jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(change_requests) = 'array'),
    ADD COLUMN shipping_address jsonb,
    ADD COLUMN legal_entity_id uuid,
    ADD COLUMN department_id uuid,
    ADD COLUMN project_id uuid,
    ADD CONSTRAINT sales_orders_uninvoiced_when_binding CHECK (uninvoiced_gross = 0 OR lifecycle IN ('confirmed', 'closed')),
    ADD CONSTRAINT sales_orders_cancelled_uninvoiced CHECK (lifecycle <> 'cancelled' OR invoicing = 'none');
DROP INDEX sales_orders_exposed;
CREATE INDEX sales_orders_uninvoiced ON sales_orders (customer_id) INCLUDE (uninvoiced_gross, currency)
    WHERE uninvoiced_gross <> 0 AND credit_counted;

ALTER TABLE sales_order_lines
    ADD COLUMN invoiced_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (invoiced_quantity >= 0),
    -- All that came back of what was delivered, and what of that came before it was invoiced: that
    -- part is not invoiced any more, the other part is credited.
    ADD COLUMN returned_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (returned_quantity >= 0),
    ADD COLUMN returned_uninvoiced_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (returned_uninvoiced_quantity >= 0),
    -- [{code, rate}] as estimated on the order date; the invoice decides at the tax point.
    ADD COLUMN taxes jsonb NOT NULL DEFAULT '[]',
    ADD CONSTRAINT sales_order_lines_returned_within_delivered CHECK (returned_quantity <= delivered_quantity),
    ADD CONSTRAINT sales_order_lines_returned_uninvoiced_within CHECK (returned_uninvoiced_quantity <= returned_quantity),
    ADD CONSTRAINT sales_order_lines_invoiced_within_ordered CHECK (invoiced_quantity + returned_uninvoiced_quantity <= quantity);
