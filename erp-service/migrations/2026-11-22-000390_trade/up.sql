-- Orders: what is invoiced, returned and paid of them, what they cost beside the goods, and where they go.

ALTER TABLE company ADD COLUMN invoicing_policy text NOT NULL DEFAULT 'delivered'
    CONSTRAINT company_invoicing_policy CHECK (invoicing_policy IN ('ordered', 'delivered'));

ALTER TABLE sales_orders
    -- Beside `delivery`: how much is invoiced of it, and paid.
    ADD COLUMN invoicing text NOT NULL DEFAULT 'none' CHECK (invoicing IN ('none', 'partial', 'full')),
    ADD COLUMN payment text NOT NULL DEFAULT 'none' CHECK (payment IN ('none', 'partial', 'full')),
    ADD COLUMN invoicing_policy text NOT NULL DEFAULT 'delivered' CHECK (invoicing_policy IN ('ordered', 'delivered')),
    ADD COLUMN prices_include_tax boolean NOT NULL DEFAULT false,
    ADD COLUMN tax_rounding text NOT NULL DEFAULT 'document' CHECK (tax_rounding IN ('document', 'line')),
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
    -- Codes and rates as estimated on the order date; the invoice decides at the tax point.
    ADD COLUMN taxes jsonb NOT NULL DEFAULT '[]',
    ADD CONSTRAINT sales_order_lines_returned_within_delivered CHECK (returned_quantity <= delivered_quantity),
    ADD CONSTRAINT sales_order_lines_returned_uninvoiced_within CHECK (returned_uninvoiced_quantity <= returned_quantity),
    ADD CONSTRAINT sales_order_lines_invoiced_within_ordered CHECK (invoiced_quantity + returned_uninvoiced_quantity <= quantity);

-- Prices of one customer: a list bound to it. It goes before the tier's list and the base list.
ALTER TABLE price_lists
    ADD COLUMN customer_id uuid CONSTRAINT price_lists_customer_id_fkey REFERENCES customers,
    DROP CONSTRAINT price_lists_one_per_tier,
    ADD CONSTRAINT price_lists_one_per_tier UNIQUE NULLS NOT DISTINCT (currency, tier, customer_id),
    ADD CONSTRAINT price_lists_tier_or_customer CHECK (tier IS NULL OR customer_id IS NULL);

-- The one price that answers a question, written once for whoever asks.
CREATE FUNCTION price_for(wanted uuid, amount numeric, buyer uuid, of_tier text, in_currency text, on_day date)
RETURNS TABLE (price_id uuid, price_list_id uuid, price_list_name text, customer_id uuid, tier text, unit_price numeric,
               minimum_quantity numeric, valid_from date, valid_to date)
LANGUAGE sql STABLE AS $$
    SELECT p.id, l.id, l.name, l.customer_id, l.tier, p.unit_price, p.minimum_quantity, p.valid_from, p.valid_to
    FROM price_lists l JOIN prices p ON p.price_list_id = l.id
    WHERE l.currency = in_currency
      AND (l.tier IS NULL OR l.tier = of_tier) AND (l.customer_id IS NULL OR l.customer_id = buyer)
      AND p.product_id = wanted AND p.minimum_quantity <= amount
      AND (p.valid_from IS NULL OR p.valid_from <= on_day) AND (p.valid_to IS NULL OR p.valid_to >= on_day)
    ORDER BY l.customer_id IS NULL, l.tier IS NULL, p.minimum_quantity DESC, p.valid_from DESC NULLS LAST
    LIMIT 1
$$;

-- Which tier a grade of the CRM means from which day on. Without a grade: the default.
CREATE TABLE grade_tiers (
    id         uuid PRIMARY KEY,
    grade      text CHECK (length(grade) BETWEEN 1 AND 60),
    -- NULL: from that day on no tier, which is the base list.
    tier       text CHECK (length(tier) BETWEEN 1 AND 60),
    valid_from date,
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT grade_tiers_one_per_day UNIQUE NULLS NOT DISTINCT (grade, valid_from)
);
CREATE INDEX grade_tiers_by_age ON grade_tiers (created_at, id);

-- The grades that a customer had, each from its day on: orders are priced by the one of their date.
CREATE TABLE customer_grades (
    customer_id    uuid NOT NULL REFERENCES customers,
    grade          text,
    effective_from date,
    CONSTRAINT customer_grades_one_per_day UNIQUE NULLS NOT DISTINCT (customer_id, effective_from)
);
-- The CRM tells the grade in force. What it said of later days before does not hold any more.
CREATE FUNCTION keep_customer_grade() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    since date := NEW.grade_effective_from;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.grade IS NOT DISTINCT FROM OLD.grade THEN
        DELETE FROM customer_grades WHERE customer_id = NEW.id AND effective_from IS NOT DISTINCT FROM OLD.grade_effective_from;
    END IF;
    IF since IS NULL AND EXISTS (SELECT FROM customer_grades WHERE customer_id = NEW.id) THEN
        since := NEW.as_of::date;
    END IF;
    DELETE FROM customer_grades WHERE customer_id = NEW.id AND (effective_from > since OR since IS NULL);
    INSERT INTO customer_grades VALUES (NEW.id, NEW.grade, since)
    ON CONFLICT (customer_id, effective_from) DO UPDATE SET grade = excluded.grade;
    RETURN NULL;
END $$;
CREATE TRIGGER customers_keep_grade AFTER INSERT ON customers
    FOR EACH ROW WHEN (NEW.grade IS NOT NULL) EXECUTE FUNCTION keep_customer_grade();
CREATE TRIGGER customers_keep_new_grade AFTER UPDATE ON customers
    FOR EACH ROW WHEN (OLD.grade IS DISTINCT FROM NEW.grade OR OLD.grade_effective_from IS DISTINCT FROM NEW.grade_effective_from)
    EXECUTE FUNCTION keep_customer_grade();
INSERT INTO customer_grades SELECT id, grade, grade_effective_from FROM customers WHERE grade IS NOT NULL;

-- Last day of a manual tier; it includes that day.
ALTER TABLE customers ADD COLUMN tier_valid_to date,
    ADD CONSTRAINT customers_tier_valid_to_of_tier CHECK (tier_valid_to IS NULL OR tier IS NOT NULL);

-- The tier of a customer on a day: the manual one, else what its grade of that day means, else the default.
CREATE FUNCTION customer_tier(buyer uuid, on_day date) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        CASE WHEN c.tier_valid_to IS NULL OR c.tier_valid_to >= on_day THEN c.tier END,
        (SELECT m.tier FROM grade_tiers m
         WHERE m.grade = (SELECT g.grade FROM customer_grades g
                          WHERE g.customer_id = c.id AND (g.effective_from IS NULL OR g.effective_from <= on_day)
                          ORDER BY g.effective_from DESC NULLS LAST LIMIT 1)
           AND (m.valid_from IS NULL OR m.valid_from <= on_day)
         ORDER BY m.valid_from DESC NULLS LAST LIMIT 1),
        (SELECT m.tier FROM grade_tiers m
         WHERE m.grade IS NULL AND (m.valid_from IS NULL OR m.valid_from <= on_day)
         ORDER BY m.valid_from DESC NULLS LAST LIMIT 1))
    FROM customers c WHERE c.id = buyer
$$;

-- What each delivered line was worth when it left: what comes back enters at that.
ALTER TABLE delivery_lines
    ADD COLUMN value numeric(20,4) NOT NULL DEFAULT 0 CONSTRAINT delivery_lines_value_not_negative CHECK (value >= 0),
    -- [{lot_id, location_id, quantity}]
    ADD COLUMN lots jsonb NOT NULL DEFAULT '[]';

-- Returns: authorised, received at their delivery's cost, inspected, credited.
CREATE TABLE sales_returns (
    id            uuid PRIMARY KEY,
    -- Absent in a dry run only.
    number        text CONSTRAINT sales_returns_number_unique UNIQUE,
    order_id      uuid NOT NULL REFERENCES sales_orders,
    customer_id   uuid NOT NULL REFERENCES customers,
    warehouse_id  uuid REFERENCES warehouses,
    status        text NOT NULL CHECK (status IN ('authorised', 'received', 'inspected', 'completed', 'cancelled')),
    reason        text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    external_ref  text CONSTRAINT sales_returns_external_ref_unique UNIQUE,
    authorised_on date NOT NULL,
    received_on   date,
    inspected_on  date,
    version       bigint NOT NULL DEFAULT 1,
    revision      bigint NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT sales_returns_received CHECK ((received_on IS NOT NULL) = (status IN ('received', 'inspected', 'completed'))),
    CONSTRAINT sales_returns_inspected CHECK ((inspected_on IS NOT NULL) = (status IN ('inspected', 'completed')))
);
CREATE INDEX sales_returns_by_age ON sales_returns (created_at, id);
CREATE INDEX sales_returns_by_order ON sales_returns (order_id, created_at, id);
CREATE INDEX sales_returns_by_customer ON sales_returns (customer_id, created_at, id);
CREATE INDEX sales_returns_by_status ON sales_returns (status, created_at, id);
CREATE TRIGGER sales_returns_stay BEFORE DELETE OR TRUNCATE ON sales_returns
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE sales_return_lines (
    id                  uuid PRIMARY KEY,
    return_id           uuid NOT NULL REFERENCES sales_returns,
    position            int NOT NULL CHECK (position > 0),
    -- What comes back of which delivery of which line.
    line_id             uuid NOT NULL,
    delivery_id         uuid NOT NULL,
    product_id          uuid NOT NULL REFERENCES products,
    quantity            numeric(14,3) NOT NULL CHECK (quantity > 0),
    received_quantity   numeric(14,3) NOT NULL DEFAULT 0 CHECK (received_quantity >= 0),
    -- Of what was received: not invoiced before, so it is not invoiced any more; the rest is credited.
    uninvoiced_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (uninvoiced_quantity >= 0),
    credited_quantity   numeric(14,3) NOT NULL DEFAULT 0 CHECK (credited_quantity >= 0),
    restocked_quantity  numeric(14,3) NOT NULL DEFAULT 0 CHECK (restocked_quantity >= 0),
    scrapped_quantity   numeric(14,3) NOT NULL DEFAULT 0 CHECK (scrapped_quantity >= 0),
    -- Reserved until it is inspected, so that nobody is promised it.
    held_quantity       numeric(14,3) NOT NULL DEFAULT 0 CHECK (held_quantity >= 0),
    -- At which it came in: its share of the delivery's cost.
    value               numeric(20,4) NOT NULL DEFAULT 0 CHECK (value >= 0),
    -- [{lot_id, location_id, quantity}]
    lots                jsonb NOT NULL DEFAULT '[]',
    FOREIGN KEY (delivery_id, line_id) REFERENCES delivery_lines (delivery_id, line_id),
    CONSTRAINT sales_return_lines_position_unique UNIQUE (return_id, position),
    CONSTRAINT sales_return_lines_within_authorised CHECK (received_quantity <= quantity),
    CONSTRAINT sales_return_lines_within_received CHECK (
        uninvoiced_quantity + credited_quantity <= received_quantity
        AND restocked_quantity + scrapped_quantity <= received_quantity AND held_quantity <= received_quantity)
);
CREATE INDEX sales_return_lines_by_delivery ON sales_return_lines (delivery_id, line_id);
