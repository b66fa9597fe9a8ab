-- What was taken over from the time before, so that the same file brings it in once.

CREATE TABLE opening_balances (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES accounts,
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    posted_on   date NOT NULL,
    -- A debit is positive.
    amount      numeric(20,4) NOT NULL,
    base_amount numeric(20,4) NOT NULL,
    -- The entry; when that is reversed, the balance can be taken over anew.
    entry_id    uuid NOT NULL REFERENCES journal_entries DEFERRABLE INITIALLY DEFERRED,
    created_at  timestamptz NOT NULL,
    CONSTRAINT opening_balances_once UNIQUE (account_id, currency, posted_on)
);

CREATE TABLE opening_stock (
    warehouse_id  uuid NOT NULL REFERENCES warehouses,
    product_id    uuid NOT NULL REFERENCES products,
    lot           text CHECK (length(lot) BETWEEN 1 AND 100),
    quantity      numeric(14,3) NOT NULL CHECK (quantity > 0),
    unit_cost     numeric(14,4) NOT NULL CHECK (unit_cost >= 0),
    adjustment_id uuid NOT NULL REFERENCES stock_adjustments DEFERRABLE INITIALLY DEFERRED,
    created_at    timestamptz NOT NULL,
    CONSTRAINT opening_stock_once UNIQUE NULLS NOT DISTINCT (warehouse_id, product_id, lot)
);
CREATE INDEX opening_stock_by_product ON opening_stock (product_id);

-- Until now any id would do; what is there stays, if it names no terms.
ALTER TABLE suppliers ADD CONSTRAINT suppliers_payment_terms_id_fkey FOREIGN KEY (payment_terms_id) REFERENCES payment_terms NOT VALID;
