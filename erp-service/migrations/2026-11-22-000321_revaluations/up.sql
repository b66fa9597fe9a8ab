-- Revaluation of what is open in foreign currency.

-- What is open in foreign currency at the end of a day: receivables and payables item by item, bank accounts by
-- balance. `amount` in the foreign and `book` in the base currency; a debit is positive. Advances are not among them (IFRIC 22),
-- nor is what revaluations posted, for each is reversed on the day after.
CREATE FUNCTION foreign_positions(day date)
RETURNS TABLE (kind text, open_item_id uuid, account_id uuid, currency text, amount numeric, book numeric)
LANGUAGE sql STABLE AS $$
    SELECT i.side, i.id, i.account_id, i.currency, sum(l.amount), sum(l.debit - l.credit)
    FROM open_items i JOIN journal_entry_lines l ON l.open_item_id = i.id
    WHERE i.side IN ('receivable', 'payable') AND i.currency <> (SELECT base_currency FROM company)
      AND (i.open_amount <> 0 OR EXISTS (SELECT FROM journal_entry_lines s WHERE s.open_item_id = i.id AND s.posted_on > day))
      AND l.posted_on <= day AND NOT l.revaluation
    GROUP BY i.id
    HAVING sum(l.amount) <> 0
    UNION ALL
    SELECT 'bank', NULL, a.id, a.currency, sum(l.amount), sum(l.debit - l.credit)
    FROM accounts a JOIN journal_entry_lines l ON l.account_id = a.id
    WHERE a.control IS NULL AND a.currency <> (SELECT base_currency FROM company)
      AND l.posted_on <= day AND NOT l.revaluation
    GROUP BY a.id
    HAVING sum(l.amount) <> 0 OR sum(l.debit - l.credit) <> 0
$$;

CREATE TABLE revaluations (
    id                uuid PRIMARY KEY,
    number            text NOT NULL CONSTRAINT revaluations_number_unique UNIQUE,
    revalued_on       date NOT NULL CONSTRAINT revaluations_once_a_date UNIQUE,
    -- The first open day after it.
    reversed_on       date NOT NULL,
    base_currency     text NOT NULL,
    gain              numeric(20,4) NOT NULL CHECK (gain >= 0),
    loss              numeric(20,4) NOT NULL CHECK (loss >= 0),
    -- NULL when nothing had changed its value.
    entry_id          uuid REFERENCES journal_entries,
    reversal_entry_id uuid REFERENCES journal_entries,
    revision          bigint NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    CONSTRAINT revaluations_reversed CHECK (reversed_on > revalued_on AND (entry_id IS NULL) = (reversal_entry_id IS NULL))
);
CREATE INDEX revaluations_by_age ON revaluations (created_at, id);
CREATE TRIGGER revaluations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON revaluations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE revaluation_lines (
    revaluation_id uuid NOT NULL REFERENCES revaluations,
    position       int NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('receivable', 'payable', 'bank')),
    open_item_id   uuid REFERENCES open_items,
    account_id     uuid NOT NULL REFERENCES accounts,
    currency       text NOT NULL,
    -- A debit is positive.
    amount         numeric(20,4) NOT NULL,
    -- Units of the base currency for 1 of this currency; not rounded.
    rate           numeric NOT NULL CHECK (rate > 0),
    book           numeric(20,4) NOT NULL,
    revalued       numeric(20,4) NOT NULL,
    PRIMARY KEY (revaluation_id, position)
);
CREATE TRIGGER revaluation_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON revaluation_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
