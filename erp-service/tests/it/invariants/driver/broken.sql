-- Whatever is found here is broken. The same as ../../../invariants/all.sql, of one sequence only: its entries are
-- those since a given one, its products and parties are nobody else's.
WITH given AS MATERIALIZED (SELECT $1::uuid AS since, $2::uuid[] AS products, $3::uuid[] AS parties),
entries AS MATERIALIZED (SELECT * FROM journal_entries WHERE id > (SELECT since FROM given)),
lines AS MATERIALIZED (
    SELECT l.*, a.code, a.control FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id
    WHERE l.entry_id > (SELECT since FROM given)),
levels AS MATERIALIZED (SELECT * FROM stock_levels WHERE product_id = ANY ((SELECT products FROM given)::uuid[])),
items AS MATERIALIZED (SELECT * FROM open_items WHERE party_id = ANY ((SELECT parties FROM given)::uuid[]))
SELECT 'an entry does not balance: ' || l.entry_id AS what
FROM lines l
GROUP BY l.entry_id
HAVING sum(l.debit - l.credit) <> 0 OR (count(DISTINCT l.currency) = 1 AND sum(l.amount) <> 0)
UNION ALL
SELECT 'control account ' || a.code || ' differs from its open items: ' || a.balance || ', ' || a.open
FROM (SELECT a.code, coalesce((SELECT sum(debit - credit) FROM lines l WHERE l.account_id = a.id), 0) AS balance,
          coalesce((SELECT sum(open_base_amount * CASE WHEN side IN ('payable', 'advances_received') THEN -1 ELSE 1 END)
                    FROM items i WHERE i.account_id = a.id), 0) AS open
      FROM accounts a WHERE a.control IN ('receivable', 'payable', 'advances_received', 'advances_paid')) a
WHERE a.balance <> a.open
UNION ALL
SELECT 'the stock accounts differ from the valuation'
WHERE coalesce((SELECT sum(debit - credit) FROM lines WHERE control = 'stock'), 0)
   <> coalesce((SELECT sum(value) FROM levels), 0)
UNION ALL
SELECT 'stock of ' || v.product_id || ' differs from its moves'
FROM levels v
WHERE (v.on_hand, v.value) <> (
      SELECT coalesce(sum(m.quantity), 0), coalesce(sum(m.value), 0) FROM stock_moves m
      WHERE m.product_id = v.product_id AND m.warehouse_id = v.warehouse_id AND m.kind <> 'relocation')
UNION ALL
SELECT 'stock of ' || v.product_id || ' is out of bounds'
FROM levels v
WHERE NOT (0 <= v.reserved AND v.reserved <= v.on_hand AND v.value >= 0 AND (v.on_hand <> 0 OR v.value = 0))
UNION ALL
SELECT 'reserved stock of ' || v.product_id || ' differs from the orders'
FROM levels v
WHERE v.reserved <> coalesce((SELECT sum(l.reserved_quantity) FROM sales_order_lines l WHERE l.known_product_id = v.product_id), 0)
UNION ALL
SELECT 'order line ' || l.id || ' has more delivered than ordered, or invoiced than delivered, or differs from its deliveries'
FROM sales_order_lines l
WHERE l.known_product_id = ANY ((SELECT products FROM given)::uuid[])
  AND (l.delivered_quantity - l.returned_uninvoiced_quantity > l.quantity
    OR l.invoiced_quantity > l.delivered_quantity - l.returned_uninvoiced_quantity
    OR l.reserved_quantity + l.backordered_quantity + l.delivered_quantity > l.quantity
    OR l.delivered_quantity <> coalesce((SELECT sum(d.quantity) FROM delivery_lines d WHERE d.line_id = l.id), 0))
UNION ALL
SELECT 'more than there is was cleared of ' || i.document_type || ' ' || i.document_id
FROM items i
WHERE abs(i.open_amount) > abs(i.amount) OR i.open_amount * i.amount < 0 OR (i.open_amount = 0 AND i.open_base_amount <> 0)
UNION ALL
SELECT 'what is open of ' || i.document_type || ' ' || i.document_id || ' differs from its allocations'
FROM items i
WHERE i.document_type IN ('invoice', 'supplier_bill') AND i.amount > 0
  AND i.open_amount <> 0
  AND i.amount - i.open_amount <> coalesce((SELECT sum(amount) FROM allocations WHERE item_id = i.id), 0)
UNION ALL
SELECT 'an advance differs from its item and its taxes: ' || v.id
FROM advances v JOIN items i ON i.id = v.item_id
WHERE v.open_gross <> i.open_amount + coalesce((SELECT sum((t ->> 'tax')::numeric) FROM jsonb_array_elements(v.taxes_open) t), 0)
UNION ALL
SELECT 'numbers of journal ' || e.journal || ' have a gap'
FROM entries e
GROUP BY e.journal, extract(year FROM e.posted_on)
HAVING count(*) <> max(right(e.number, 6)::int) - min(right(e.number, 6)::int) + 1
