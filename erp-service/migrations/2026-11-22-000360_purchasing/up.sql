-- Suppliers and what they ask for a product. This service is the master of both.

CREATE TABLE suppliers (
    id               uuid PRIMARY KEY,
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    legal_name       text CHECK (length(legal_name) BETWEEN 1 AND 200),
    tax_id           text CHECK (length(tax_id) BETWEEN 1 AND 60),
    tax_class        text CHECK (length(tax_class) BETWEEN 1 AND 40),
    email            text CHECK (length(email) BETWEEN 3 AND 200),
    phone            text CHECK (length(phone) BETWEEN 1 AND 60),
    addresses        jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(addresses) = 'array'),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_terms_id uuid,
    iban             text CHECK (length(iban) BETWEEN 5 AND 34),
    bic              text CHECK (length(bic) BETWEEN 8 AND 11),
    lead_time_days   integer NOT NULL DEFAULT 0 CONSTRAINT suppliers_lead_time CHECK (lead_time_days BETWEEN 0 AND 3650),
    status           text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'archived')),
    external_ref     text CONSTRAINT suppliers_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    version          bigint NOT NULL DEFAULT 1,
    revision         bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX suppliers_by_name ON suppliers (name, id);
CREATE INDEX suppliers_by_age ON suppliers (created_at, id);
CREATE TRIGGER suppliers_stay BEFORE DELETE OR TRUNCATE ON suppliers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE supplier_prices (
    id               uuid PRIMARY KEY,
    supplier_id      uuid NOT NULL CONSTRAINT supplier_prices_supplier_id_fkey REFERENCES suppliers,
    product_id       uuid NOT NULL CONSTRAINT supplier_prices_product_id_fkey REFERENCES products,
    supplier_sku     text CHECK (length(supplier_sku) BETWEEN 1 AND 60),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    unit_price       numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    minimum_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (minimum_quantity >= 0),
    valid_from       date,
    valid_to         date,
    -- NULL: the supplier's.
    lead_time_days   integer CHECK (lead_time_days BETWEEN 0 AND 3650),
    revision         bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT supplier_prices_valid_period CHECK (valid_from <= valid_to),
    -- Two prices of which neither goes first are refused when saved.
    CONSTRAINT supplier_prices_no_ties UNIQUE NULLS NOT DISTINCT (supplier_id, product_id, currency, minimum_quantity, valid_from)
);
CREATE INDEX supplier_prices_by_product ON supplier_prices (product_id, supplier_id);
CREATE INDEX supplier_prices_by_age ON supplier_prices (created_at, id);

-- Who may approve how much, and how far a receipt or a bill may differ. Amounts in the base currency.

CREATE TABLE purchase_approval_limits (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- One of the two: a limit of a key goes before that of its role.
    role       text CHECK (length(role) BETWEEN 1 AND 60),
    api_key_id uuid REFERENCES api_keys,
    amount     numeric(20,4) NOT NULL CONSTRAINT purchase_approval_limits_amount CHECK (amount >= 0),
    revision   bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT purchase_approval_limits_one_subject CHECK ((role IS NULL) <> (api_key_id IS NULL)),
    CONSTRAINT purchase_approval_limits_role_unique UNIQUE (role),
    CONSTRAINT purchase_approval_limits_key_unique UNIQUE (api_key_id)
);
CREATE INDEX purchase_approval_limits_by_age ON purchase_approval_limits (created_at, id);
INSERT INTO purchase_approval_limits (role, amount) VALUES ('back_office', 10000), ('admin', 1000000);

CREATE TABLE purchasing_settings (
    id                      uuid PRIMARY KEY CHECK (id = '00000000-0000-7000-8000-000000000002'),
    -- Orders worth up to this need no second person.
    approval_free_up_to     numeric(20,4) NOT NULL DEFAULT 0 CHECK (approval_free_up_to >= 0),
    -- Fraction of the ordered quantity that may come on top.
    over_receipt_tolerance  numeric(5,4) NOT NULL DEFAULT 0 CHECK (over_receipt_tolerance BETWEEN 0 AND 1),
    -- A bill's price may differ by the lesser of the two.
    bill_tolerance_fraction numeric(5,4) NOT NULL DEFAULT 0.02 CHECK (bill_tolerance_fraction BETWEEN 0 AND 1),
    bill_tolerance_amount   numeric(20,4) NOT NULL DEFAULT 50 CHECK (bill_tolerance_amount >= 0),
    revision                bigint NOT NULL DEFAULT 1,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now()
);
INSERT INTO purchasing_settings (id) VALUES ('00000000-0000-7000-8000-000000000002');
CREATE TRIGGER purchasing_settings_stay BEFORE DELETE OR TRUNCATE ON purchasing_settings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE purchase_orders (
    id                 uuid PRIMARY KEY,
    number             text CONSTRAINT purchase_orders_number_unique UNIQUE,
    lifecycle          text NOT NULL CHECK (lifecycle IN ('draft', 'awaiting_approval', 'ordered', 'closed', 'cancelled')),
    receipt            text NOT NULL DEFAULT 'none' CHECK (receipt IN ('none', 'partial', 'full')),
    supplier_id        uuid NOT NULL CONSTRAINT purchase_orders_supplier_id_fkey REFERENCES suppliers,
    currency           text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    order_date         date NOT NULL,
    warehouse_id       uuid REFERENCES warehouses,
    external_ref       text CONSTRAINT purchase_orders_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    supplier_reference text CHECK (length(supplier_reference) BETWEEN 1 AND 100),
    note               text CHECK (length(note) BETWEEN 1 AND 2000),
    net                numeric(20,4) NOT NULL,
    -- In the base currency: what is to be approved, and what was.
    value              numeric(20,4),
    approved_value     numeric(20,4),
    rejection          text CHECK (length(rejection) BETWEEN 1 AND 500),
    end_reason         text CHECK (length(end_reason) BETWEEN 1 AND 500),
    -- API keys; who made or last changed it does not approve it.
    created_by         uuid NOT NULL,
    changed_by         uuid NOT NULL,
    submitted_by       uuid,
    approved_by        uuid,
    approved_at        timestamptz,
    version            bigint NOT NULL DEFAULT 1,
    revision           bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    status             text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN lifecycle <> 'ordered' THEN lifecycle
             WHEN receipt = 'full' THEN 'received'
             WHEN receipt = 'partial' THEN 'partially_received'
             ELSE 'ordered' END) STORED,
    CONSTRAINT purchase_orders_numbered_when_binding CHECK (lifecycle NOT IN ('ordered', 'closed') OR number IS NOT NULL),
    CONSTRAINT purchase_orders_unnumbered_before CHECK (lifecycle <> 'draft' OR number IS NULL),
    CONSTRAINT purchase_orders_approved CHECK (lifecycle <> 'ordered' OR (approved_value IS NOT NULL AND value <= approved_value)),
    CONSTRAINT purchase_orders_cancelled_unreceived CHECK (lifecycle <> 'cancelled' OR receipt = 'none')
) WITH (fillfactor = 85);
CREATE INDEX purchase_orders_by_age ON purchase_orders (created_at, id);
CREATE INDEX purchase_orders_by_supplier ON purchase_orders (supplier_id, created_at, id);
CREATE INDEX purchase_orders_by_status ON purchase_orders (status, created_at, id);
CREATE INDEX purchase_orders_by_date ON purchase_orders (order_date, id);
CREATE TRIGGER purchase_orders_stay BEFORE DELETE OR TRUNCATE ON purchase_orders
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE purchase_order_lines (
    id                     uuid PRIMARY KEY,
    order_id               uuid NOT NULL REFERENCES purchase_orders,
    position               int NOT NULL CHECK (position > 0),
    -- A product, or an expense in words.
    product_id             uuid REFERENCES products,
    description            text CHECK (length(description) BETWEEN 1 AND 500),
    account_id             uuid CONSTRAINT purchase_order_lines_account_id_fkey REFERENCES accounts,
    department_id          uuid CONSTRAINT purchase_order_lines_department_id_fkey REFERENCES dimensions,
    project_id             uuid CONSTRAINT purchase_order_lines_project_id_fkey REFERENCES dimensions,
    unit                   text,
    quantity               numeric(14,3) NOT NULL CHECK (quantity > 0),
    unit_price             numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    price_source           text NOT NULL,
    supplier_sku           text,
    line_total             numeric(20,4) NOT NULL,
    expected_on            date NOT NULL,
    warehouse_id           uuid REFERENCES warehouses,
    over_receipt_tolerance numeric(5,4) CHECK (over_receipt_tolerance BETWEEN 0 AND 1),
    received_quantity      numeric(14,3) NOT NULL DEFAULT 0 CHECK (received_quantity >= 0),
    -- Sent back; of it to be delivered again.
    returned_quantity      numeric(14,3) NOT NULL DEFAULT 0,
    replaced_quantity      numeric(14,3) NOT NULL DEFAULT 0,
    -- Billed less reversed.
    billed_quantity        numeric(14,3) NOT NULL DEFAULT 0 CHECK (billed_quantity >= 0),
    -- Of bills that were within the price tolerance: their worth at the order's price, and how far they were off.
    matched_expected       numeric(20,4) NOT NULL DEFAULT 0,
    matched_difference     numeric(20,4) NOT NULL DEFAULT 0,
    requisition_line_id    uuid,
    CONSTRAINT purchase_order_lines_something CHECK (product_id IS NOT NULL OR description IS NOT NULL),
    CONSTRAINT purchase_order_lines_returned CHECK (returned_quantity BETWEEN 0 AND received_quantity),
    CONSTRAINT purchase_order_lines_replaced CHECK (replaced_quantity BETWEEN 0 AND returned_quantity),
    CONSTRAINT purchase_order_lines_position_unique UNIQUE (order_id, position) DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor = 85);
CREATE INDEX purchase_order_lines_by_product ON purchase_order_lines (product_id) WHERE product_id IS NOT NULL;
CREATE INDEX purchase_order_lines_by_requisition ON purchase_order_lines (requisition_line_id) WHERE requisition_line_id IS NOT NULL;

-- What came. A receipt is posted at once and its quantities never change; what of them was billed or sent back does.

CREATE TABLE receipts (
    id                 uuid PRIMARY KEY,
    number             text NOT NULL CONSTRAINT receipts_number_unique UNIQUE,
    order_id           uuid NOT NULL REFERENCES purchase_orders,
    supplier_id        uuid NOT NULL REFERENCES suppliers,
    -- Absent when nothing but services came.
    warehouse_id       uuid REFERENCES warehouses,
    received_on        date NOT NULL,
    -- The supplier's delivery note.
    supplier_reference text CHECK (length(supplier_reference) BETWEEN 1 AND 100),
    external_ref       text CONSTRAINT receipts_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    created_by         uuid NOT NULL,
    created_at         timestamptz NOT NULL
);
CREATE INDEX receipts_by_order ON receipts (order_id);
CREATE INDEX receipts_by_age ON receipts (created_at, id);
CREATE INDEX receipts_by_date ON receipts (received_on, id);
CREATE INDEX receipts_by_supplier ON receipts (supplier_id, received_on);
CREATE TRIGGER receipts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE receipt_lines (
    id                       uuid PRIMARY KEY,
    receipt_id               uuid NOT NULL REFERENCES receipts,
    position                 int NOT NULL,
    order_line_id            uuid NOT NULL REFERENCES purchase_order_lines,
    product_id               uuid REFERENCES products,
    quantity                 numeric(14,3) NOT NULL CHECK (quantity > 0),
    -- In the order's currency, and in the base currency: what goods received, not invoiced was credited.
    amount                   numeric(20,4) NOT NULL,
    value                    numeric(20,4) NOT NULL,
    -- Of it: billed, with what of the value that took; sent back before it was billed, likewise; sent back afterwards.
    billed_quantity          numeric(14,3) NOT NULL DEFAULT 0 CHECK (billed_quantity >= 0),
    billed_value             numeric(20,4) NOT NULL DEFAULT 0,
    returned_quantity        numeric(14,3) NOT NULL DEFAULT 0 CHECK (returned_quantity >= 0),
    returned_value           numeric(20,4) NOT NULL DEFAULT 0,
    returned_billed_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (returned_billed_quantity >= 0),
    lots                     jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(lots) = 'array'),
    CONSTRAINT receipt_lines_within CHECK (billed_quantity + returned_quantity <= quantity),
    CONSTRAINT receipt_lines_returned_of_billed CHECK (returned_billed_quantity <= billed_quantity),
    CONSTRAINT receipt_lines_cleared CHECK (billed_quantity + returned_quantity < quantity OR billed_value + returned_value = value),
    CONSTRAINT receipt_lines_position_unique UNIQUE (receipt_id, position)
) WITH (fillfactor = 85);
CREATE INDEX receipt_lines_by_order_line ON receipt_lines (order_line_id, id);

CREATE TABLE supplier_bills (
    id               uuid PRIMARY KEY,
    -- Ours, given by the posting.
    number           text CONSTRAINT supplier_bills_number_unique UNIQUE,
    supplier_id      uuid NOT NULL CONSTRAINT supplier_bills_supplier_id_fkey REFERENCES suppliers,
    supplier_number  text NOT NULL CHECK (length(supplier_number) BETWEEN 1 AND 100),
    status           text NOT NULL CHECK (status IN ('draft', 'match_held', 'posted', 'reversed', 'cancelled')),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    bill_date        date NOT NULL,
    due_date         date,
    payment_terms_id uuid,
    external_ref     text CONSTRAINT supplier_bills_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    note             text CHECK (length(note) BETWEEN 1 AND 2000),
    net              numeric(20,4) NOT NULL,
    tax              numeric(20,4) NOT NULL,
    gross            numeric(20,4) NOT NULL,
    -- [{code, rate, base, tax, reverse_charge}]
    taxes            jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(taxes) = 'array'),
    -- Why it is held, or was.
    findings         jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(findings) = 'array'),
    posted_on        date,
    rate             numeric,
    release_reason   text CHECK (length(release_reason) BETWEEN 1 AND 500),
    released_by      uuid,
    end_reason       text CHECK (length(end_reason) BETWEEN 1 AND 500),
    entry_id         uuid REFERENCES journal_entries,
    reversal_id      uuid REFERENCES journal_entries,
    created_by       uuid NOT NULL,
    changed_by       uuid NOT NULL,
    posted_by        uuid,
    version          bigint NOT NULL DEFAULT 1,
    revision         bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT supplier_bills_gross CHECK (gross = net + tax),
    CONSTRAINT supplier_bills_numbered_when_posted CHECK ((status IN ('posted', 'reversed')) = (number IS NOT NULL)),
    CONSTRAINT supplier_bills_held_for_a_reason CHECK (status <> 'match_held' OR findings <> '[]')
) WITH (fillfactor = 85);
-- A bill that was reversed or cancelled may be entered again, right this time.
CREATE UNIQUE INDEX supplier_bills_supplier_number_unique ON supplier_bills (supplier_id, lower(supplier_number))
    WHERE status NOT IN ('reversed', 'cancelled');
CREATE INDEX supplier_bills_by_age ON supplier_bills (created_at, id);
CREATE INDEX supplier_bills_by_date ON supplier_bills (bill_date, id);
CREATE INDEX supplier_bills_by_supplier ON supplier_bills (supplier_id, created_at, id);
CREATE INDEX supplier_bills_by_status ON supplier_bills (status, created_at, id);
CREATE TRIGGER supplier_bills_stay BEFORE DELETE OR TRUNCATE ON supplier_bills
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE supplier_bill_lines (
    id                  uuid PRIMARY KEY,
    bill_id             uuid NOT NULL REFERENCES supplier_bills,
    position            int NOT NULL CHECK (position > 0),
    order_line_id       uuid REFERENCES purchase_order_lines,
    product_id          uuid REFERENCES products,
    description         text CHECK (length(description) BETWEEN 1 AND 500),
    account_id          uuid CONSTRAINT supplier_bill_lines_account_id_fkey REFERENCES accounts,
    department_id       uuid CONSTRAINT supplier_bill_lines_department_id_fkey REFERENCES dimensions,
    project_id          uuid CONSTRAINT supplier_bill_lines_project_id_fkey REFERENCES dimensions,
    quantity            numeric(14,3) NOT NULL CHECK (quantity > 0),
    unit_price          numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    line_total          numeric(20,4) NOT NULL,
    -- In the base currency, once it is posted: how far the price was off and where that went.
    price_difference    numeric(20,4) NOT NULL DEFAULT 0,
    revalued            numeric(20,4) NOT NULL DEFAULT 0,
    variance            numeric(20,4) NOT NULL DEFAULT 0,
    exchange_difference numeric(20,4) NOT NULL DEFAULT 0,
    -- What this line added to the order line's matched sums, to be taken back when it is reversed.
    matched_expected    numeric(20,4) NOT NULL DEFAULT 0,
    matched_difference  numeric(20,4) NOT NULL DEFAULT 0,
    -- The codes with their rates.
    taxes               jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(taxes) = 'array'),
    CONSTRAINT supplier_bill_lines_something CHECK (order_line_id IS NOT NULL OR product_id IS NOT NULL OR description IS NOT NULL),
    CONSTRAINT supplier_bill_lines_price_difference CHECK (price_difference = revalued + variance),
    CONSTRAINT supplier_bill_lines_position_unique UNIQUE (bill_id, position)
) WITH (fillfactor = 85);
CREATE INDEX supplier_bill_lines_by_order_line ON supplier_bill_lines (order_line_id) WHERE order_line_id IS NOT NULL;

-- Which receipt a billed quantity cleared; without a receipt: billed before it came.
CREATE TABLE supplier_bill_matches (
    id              uuid PRIMARY KEY,
    bill_line_id    uuid NOT NULL REFERENCES supplier_bill_lines,
    order_line_id   uuid NOT NULL REFERENCES purchase_order_lines,
    receipt_line_id uuid REFERENCES receipt_lines,
    quantity        numeric(14,3) NOT NULL CHECK (quantity > 0),
    -- In the base currency: what it took from GRNI, and what it was billed at.
    value           numeric(20,4) NOT NULL,
    net             numeric(20,4) NOT NULL,
    reversed        boolean NOT NULL DEFAULT false
);
CREATE INDEX supplier_bill_matches_by_line ON supplier_bill_matches (bill_line_id);
CREATE INDEX supplier_bill_matches_by_receipt_line ON supplier_bill_matches (receipt_line_id) WHERE receipt_line_id IS NOT NULL;
CREATE INDEX supplier_bill_matches_ahead ON supplier_bill_matches (order_line_id) WHERE receipt_line_id IS NULL AND NOT reversed;

-- What of a price difference went to stock: for how much of it, so that it can be taken back.
CREATE TABLE supplier_bill_revaluations (
    id           uuid PRIMARY KEY,
    bill_line_id uuid NOT NULL REFERENCES supplier_bill_lines,
    warehouse_id uuid NOT NULL REFERENCES warehouses,
    product_id   uuid NOT NULL REFERENCES products,
    quantity     numeric(14,3) NOT NULL CHECK (quantity > 0),
    value        numeric(20,4) NOT NULL CHECK (value <> 0)
);
CREATE INDEX supplier_bill_revaluations_by_line ON supplier_bill_revaluations (bill_line_id);
CREATE TRIGGER supplier_bill_revaluations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON supplier_bill_revaluations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What goes back to a supplier. Of what was billed, a credit is expected: it waits in GRNI as a debit.

CREATE TABLE supplier_returns (
    id           uuid PRIMARY KEY,
    number       text NOT NULL CONSTRAINT supplier_returns_number_unique UNIQUE,
    receipt_id   uuid NOT NULL CONSTRAINT supplier_returns_receipt_id_fkey REFERENCES receipts,
    order_id     uuid NOT NULL REFERENCES purchase_orders,
    supplier_id  uuid NOT NULL REFERENCES suppliers,
    warehouse_id uuid REFERENCES warehouses,
    returned_on  date NOT NULL,
    reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    -- Whether the supplier delivers again.
    replacement  boolean NOT NULL,
    external_ref text CONSTRAINT supplier_returns_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    created_by   uuid NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX supplier_returns_by_age ON supplier_returns (created_at, id);
CREATE INDEX supplier_returns_by_date ON supplier_returns (returned_on, id);
CREATE INDEX supplier_returns_by_receipt ON supplier_returns (receipt_id);
CREATE INDEX supplier_returns_by_supplier ON supplier_returns (supplier_id, created_at, id);
CREATE TRIGGER supplier_returns_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON supplier_returns
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE supplier_return_lines (
    id                uuid PRIMARY KEY,
    return_id         uuid NOT NULL REFERENCES supplier_returns,
    position          int NOT NULL,
    receipt_line_id   uuid NOT NULL REFERENCES receipt_lines,
    order_line_id     uuid NOT NULL REFERENCES purchase_order_lines,
    product_id        uuid REFERENCES products,
    quantity          numeric(14,3) NOT NULL CHECK (quantity > 0),
    -- In the base currency: what left stock (at the average), and what GRNI no longer waits for.
    value             numeric(20,4) NOT NULL,
    unbilled_quantity numeric(14,3) NOT NULL CHECK (unbilled_quantity >= 0),
    unbilled_value    numeric(20,4) NOT NULL,
    -- Of the billed rest: what is to be credited, in the order's and in the base currency; what was.
    expected_amount   numeric(20,4) NOT NULL,
    expected_credit   numeric(20,4) NOT NULL,
    credited_quantity numeric(14,3) NOT NULL DEFAULT 0 CHECK (credited_quantity >= 0),
    credited_amount   numeric(20,4) NOT NULL DEFAULT 0,
    credited          numeric(20,4) NOT NULL DEFAULT 0,
    lots              jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(lots) = 'array'),
    CONSTRAINT supplier_return_lines_position_unique UNIQUE (return_id, position),
    CONSTRAINT supplier_return_lines_credited CHECK (unbilled_quantity + credited_quantity <= quantity),
    CONSTRAINT supplier_return_lines_cleared CHECK (unbilled_quantity + credited_quantity < quantity OR credited = expected_credit)
) WITH (fillfactor = 85);
CREATE INDEX supplier_return_lines_by_receipt_line ON supplier_return_lines (receipt_line_id);

CREATE TABLE supplier_credit_notes (
    id              uuid PRIMARY KEY,
    number          text NOT NULL CONSTRAINT supplier_credit_notes_number_unique UNIQUE,
    supplier_id     uuid NOT NULL CONSTRAINT supplier_credit_notes_supplier_id_fkey REFERENCES suppliers,
    supplier_number text NOT NULL CHECK (length(supplier_number) BETWEEN 1 AND 100),
    -- Cleared first.
    bill_id         uuid CONSTRAINT supplier_credit_notes_bill_id_fkey REFERENCES supplier_bills,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    credit_date     date NOT NULL,
    posted_on       date NOT NULL,
    rate            numeric NOT NULL,
    reason          text CHECK (length(reason) BETWEEN 1 AND 500),
    external_ref    text CONSTRAINT supplier_credit_notes_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    net             numeric(20,4) NOT NULL CHECK (net >= 0),
    tax             numeric(20,4) NOT NULL CHECK (tax >= 0),
    gross           numeric(20,4) NOT NULL,
    taxes           jsonb NOT NULL CHECK (jsonb_typeof(taxes) = 'array'),
    entry_id        uuid REFERENCES journal_entries DEFERRABLE INITIALLY DEFERRED,
    created_by      uuid NOT NULL,
    created_at      timestamptz NOT NULL,
    CONSTRAINT supplier_credit_notes_gross CHECK (gross = net + tax)
);
CREATE UNIQUE INDEX supplier_credit_notes_supplier_number_unique ON supplier_credit_notes (supplier_id, lower(supplier_number));
CREATE INDEX supplier_credit_notes_by_age ON supplier_credit_notes (created_at, id);
CREATE INDEX supplier_credit_notes_by_date ON supplier_credit_notes (credit_date, id);
CREATE INDEX supplier_credit_notes_by_supplier ON supplier_credit_notes (supplier_id, created_at, id);
CREATE TRIGGER supplier_credit_notes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON supplier_credit_notes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE supplier_credit_note_lines (
    id             uuid PRIMARY KEY,
    note_id        uuid NOT NULL REFERENCES supplier_credit_notes,
    position       int NOT NULL CHECK (position > 0),
    return_line_id uuid REFERENCES supplier_return_lines,
    product_id     uuid REFERENCES products,
    description    text CHECK (length(description) BETWEEN 1 AND 500),
    account_id     uuid CONSTRAINT supplier_credit_note_lines_account_id_fkey REFERENCES accounts,
    department_id  uuid CONSTRAINT supplier_credit_note_lines_department_id_fkey REFERENCES dimensions,
    project_id     uuid CONSTRAINT supplier_credit_note_lines_project_id_fkey REFERENCES dimensions,
    quantity       numeric(14,3) NOT NULL CHECK (quantity > 0),
    unit_price     numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    line_total     numeric(20,4) NOT NULL,
    CONSTRAINT supplier_credit_note_lines_position_unique UNIQUE (note_id, position)
);
CREATE TRIGGER supplier_credit_note_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON supplier_credit_note_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What somebody needs, before anybody knows from whom.

CREATE TABLE requisitions (
    id           uuid PRIMARY KEY,
    number       text CONSTRAINT requisitions_number_unique UNIQUE,
    status       text NOT NULL CHECK (status IN ('draft', 'submitted', 'approved', 'rejected', 'ordered', 'cancelled')),
    reason       text CHECK (length(reason) BETWEEN 1 AND 500),
    needed_by    date,
    warehouse_id uuid REFERENCES warehouses,
    external_ref text CONSTRAINT requisitions_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    -- By the estimates, in the base currency.
    value        numeric(20,4) NOT NULL CHECK (value >= 0),
    decision     text CHECK (length(decision) BETWEEN 1 AND 500),
    created_by   uuid NOT NULL,
    changed_by   uuid NOT NULL,
    decided_by   uuid,
    version      bigint NOT NULL DEFAULT 1,
    revision     bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT requisitions_numbered_when_approved CHECK (status NOT IN ('approved', 'ordered') OR number IS NOT NULL)
) WITH (fillfactor = 85);
CREATE INDEX requisitions_by_age ON requisitions (created_at, id);
CREATE INDEX requisitions_by_status ON requisitions (status, created_at, id);
CREATE TRIGGER requisitions_stay BEFORE DELETE OR TRUNCATE ON requisitions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE requisition_lines (
    id               uuid PRIMARY KEY,
    requisition_id   uuid NOT NULL REFERENCES requisitions,
    position         int NOT NULL CHECK (position > 0),
    product_id       uuid REFERENCES products,
    description      text CHECK (length(description) BETWEEN 1 AND 500),
    account_id       uuid CONSTRAINT requisition_lines_account_id_fkey REFERENCES accounts,
    department_id    uuid CONSTRAINT requisition_lines_department_id_fkey REFERENCES dimensions,
    project_id       uuid CONSTRAINT requisition_lines_project_id_fkey REFERENCES dimensions,
    quantity         numeric(14,3) NOT NULL CHECK (quantity > 0),
    estimated_price  numeric(14,4) CHECK (estimated_price >= 0),
    supplier_id      uuid REFERENCES suppliers,
    ordered_quantity numeric(14,3) NOT NULL DEFAULT 0,
    CONSTRAINT requisition_lines_something CHECK (product_id IS NOT NULL OR description IS NOT NULL),
    CONSTRAINT requisition_lines_ordered CHECK (ordered_quantity BETWEEN 0 AND quantity),
    CONSTRAINT requisition_lines_position_unique UNIQUE (requisition_id, position)
) WITH (fillfactor = 85);

-- The same question to several suppliers, their answers, and who got what.

CREATE TABLE requests_for_quotation (
    id           uuid PRIMARY KEY,
    number       text CONSTRAINT requests_for_quotation_number_unique UNIQUE,
    status       text NOT NULL CHECK (status IN ('draft', 'sent', 'awarded', 'cancelled')),
    note         text CHECK (length(note) BETWEEN 1 AND 2000),
    answer_by    date,
    warehouse_id uuid REFERENCES warehouses,
    external_ref text CONSTRAINT requests_for_quotation_external_ref_unique UNIQUE CHECK (length(external_ref) BETWEEN 1 AND 200),
    created_by   uuid NOT NULL,
    version      bigint NOT NULL DEFAULT 1,
    revision     bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT requests_for_quotation_numbered_when_sent CHECK (status NOT IN ('sent', 'awarded') OR number IS NOT NULL)
) WITH (fillfactor = 85);
CREATE INDEX requests_for_quotation_by_age ON requests_for_quotation (created_at, id);
CREATE INDEX requests_for_quotation_by_status ON requests_for_quotation (status, created_at, id);
CREATE TRIGGER requests_for_quotation_stay BEFORE DELETE OR TRUNCATE ON requests_for_quotation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE quotation_lines (
    id                  uuid PRIMARY KEY,
    request_id          uuid NOT NULL REFERENCES requests_for_quotation,
    position            int NOT NULL CHECK (position > 0),
    product_id          uuid REFERENCES products,
    description         text CHECK (length(description) BETWEEN 1 AND 500),
    quantity            numeric(14,3) NOT NULL CHECK (quantity > 0),
    requisition_line_id uuid REFERENCES requisition_lines,
    awarded_quantity    numeric(14,3) NOT NULL DEFAULT 0,
    CONSTRAINT quotation_lines_something CHECK (product_id IS NOT NULL OR description IS NOT NULL),
    CONSTRAINT quotation_lines_awarded CHECK (awarded_quantity BETWEEN 0 AND quantity),
    CONSTRAINT quotation_lines_position_unique UNIQUE (request_id, position)
) WITH (fillfactor = 85);
CREATE TABLE quotation_suppliers (
    request_id  uuid NOT NULL REFERENCES requests_for_quotation,
    supplier_id uuid NOT NULL REFERENCES suppliers,
    declined    boolean NOT NULL DEFAULT false,
    answered_at timestamptz,
    PRIMARY KEY (request_id, supplier_id)
);
CREATE TABLE quotation_answers (
    line_id        uuid NOT NULL REFERENCES quotation_lines,
    supplier_id    uuid NOT NULL REFERENCES suppliers,
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    unit_price     numeric(14,4) NOT NULL CHECK (unit_price >= 0),
    lead_time_days integer CHECK (lead_time_days BETWEEN 0 AND 3650),
    valid_to       date,
    note           text CHECK (length(note) BETWEEN 1 AND 500),
    PRIMARY KEY (line_id, supplier_id)
);

-- When to order again, and how much.

CREATE TABLE reorder_rules (
    id             uuid PRIMARY KEY,
    product_id     uuid NOT NULL CONSTRAINT reorder_rules_product_id_fkey REFERENCES products,
    warehouse_id   uuid NOT NULL CONSTRAINT reorder_rules_warehouse_id_fkey REFERENCES warehouses,
    minimum        numeric(14,3) NOT NULL CHECK (minimum >= 0),
    target         numeric(14,3) NOT NULL CHECK (target > 0),
    lead_time_days integer CHECK (lead_time_days BETWEEN 0 AND 3650),
    supplier_id    uuid CONSTRAINT reorder_rules_supplier_id_fkey REFERENCES suppliers,
    active         boolean NOT NULL DEFAULT true,
    revision       bigint NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT reorder_rules_one_per_place UNIQUE (product_id, warehouse_id),
    CONSTRAINT reorder_rules_target_above_minimum CHECK (target >= minimum)
);
CREATE INDEX reorder_rules_by_age ON reorder_rules (created_at, id);

-- Goods have stock and services have none, so what was ordered once stays what it is.
CREATE FUNCTION refuse_product_kind_in_purchasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM purchase_order_lines WHERE product_id = NEW.id) THEN
        RAISE EXCEPTION 'the kind of a product in use does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'products_kind_in_use';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER products_kind_in_purchasing BEFORE UPDATE OF kind ON products
    FOR EACH ROW WHEN (OLD.kind IS DISTINCT FROM NEW.kind) EXECUTE FUNCTION refuse_product_kind_in_purchasing();
