-- Statements: the latest posting date of an item's lines. What a customer's account was on a day is what is open now less what has
-- moved since, and only items that have moved since are read for it.
ALTER TABLE open_items ADD COLUMN moved_on date;
UPDATE open_items i SET moved_on = (SELECT max(posted_on) FROM journal_entry_lines l WHERE l.open_item_id = i.id);
CREATE INDEX open_items_by_movement ON open_items (party_id, side, currency, moved_on);

CREATE OR REPLACE FUNCTION apply_journal_entry_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- All lines of an entry come at once: the check of its balance runs once, when it is posted.
    IF EXISTS (SELECT FROM (SELECT entry_id, count(*) AS lines FROM new_lines GROUP BY entry_id) n
               WHERE n.lines <> (SELECT count(*) FROM journal_entry_lines l WHERE l.entry_id = n.entry_id)
                  OR NOT EXISTS (SELECT FROM journal_entries e WHERE e.id = n.entry_id AND e.status = 'posted')) THEN
        RAISE EXCEPTION 'the lines of an entry are stored with it'
            USING ERRCODE = '23514', CONSTRAINT = 'journal_entry_lines_append_only';
    END IF;
    -- Control accounts are posted to through open items, and nothing else is.
    IF EXISTS (SELECT FROM new_lines l JOIN accounts a ON a.id = l.account_id
               LEFT JOIN open_items i ON i.id = l.open_item_id
               WHERE a.heading
                  OR (a.control IN ('receivable', 'payable', 'advances_received', 'advances_paid')) <> (l.open_item_id IS NOT NULL)
                  OR (l.open_item_id IS NOT NULL AND (i.account_id <> l.account_id OR i.currency <> l.currency))
                  OR (a.currency IS NOT NULL AND a.currency <> l.currency)) THEN
        RAISE EXCEPTION 'a line does not fit its account'
            USING ERRCODE = '23514', CONSTRAINT = 'journal_entry_lines_fit_account';
    END IF;
    INSERT INTO account_months AS t (account_id, month, stripe, debit, credit)
    SELECT account_id, date_trunc('month', posted_on)::date, pg_backend_pid() % 8, sum(debit), sum(credit)
    FROM new_lines GROUP BY 1, 2 ORDER BY 2, 1
    ON CONFLICT (month, account_id, stripe) DO UPDATE
        SET debit = t.debit + excluded.debit, credit = t.credit + excluded.credit;
    IF EXISTS (SELECT FROM new_lines WHERE open_item_id IS NOT NULL) THEN
        -- A payable, and an advance received, is owed by us: its credits raise it.
        UPDATE open_items i
        SET open_amount = i.open_amount + l.amount * s.sign,
            open_base_amount = i.open_base_amount + l.base * s.sign,
            revalued_base = i.revalued_base + l.revalued * s.sign,
            moved_on = greatest(i.moved_on, l.moved_on),
            updated_at = now()
        FROM (SELECT open_item_id, sum(amount) AS amount, max(posted_on) AS moved_on,
                     coalesce(sum(debit - credit) FILTER (WHERE NOT revaluation), 0) AS base,
                     coalesce(sum(debit - credit) FILTER (WHERE revaluation), 0) AS revalued
              FROM new_lines WHERE open_item_id IS NOT NULL GROUP BY open_item_id) l,
             LATERAL (SELECT CASE WHEN i2.side IN ('payable', 'advances_received') THEN -1 ELSE 1 END AS sign
                      FROM open_items i2 WHERE i2.id = l.open_item_id) s
        WHERE i.id = l.open_item_id;
    END IF;
    RETURN NULL;
END $$;
