-- What must always hold in the ERP's database, whatever was done to it, by whoever at the same time. Each row that is
-- found says what is broken. Read by the sequences of random commands and by the clients that are killed under load.
WITH balances AS MATERIALIZED (
    SELECT account_id, sum(debit - credit) AS balance FROM journal_entry_lines GROUP BY account_id)
SELECT 'entry ' || e.number || ' does not balance' AS what
FROM journal_entries e JOIN journal_entry_lines l ON l.entry_id = e.id
GROUP BY e.id
HAVING sum(l.debit - l.credit) <> 0 OR (count(DISTINCT l.currency) = 1 AND sum(l.amount) <> 0)
UNION ALL
SELECT 'control account ' || a.code || ' differs from its open items'
FROM accounts a
WHERE a.control IN ('receivable', 'payable', 'advances_received', 'advances_paid')
  AND coalesce((SELECT balance FROM balances WHERE account_id = a.id), 0)
   <> coalesce((SELECT sum(open_base_amount * CASE WHEN side IN ('payable', 'advances_received') THEN -1 ELSE 1 END)
                FROM open_items WHERE account_id = a.id), 0)
UNION ALL
SELECT 'the stock accounts differ from the valuation'
WHERE coalesce((SELECT sum(balance) FROM balances b JOIN accounts a ON a.id = b.account_id WHERE a.control = 'stock'), 0)
   <> coalesce((SELECT sum(value) FROM stock_levels), 0)
UNION ALL
SELECT 'stock of ' || v.product_id || ' differs from its moves'
FROM stock_levels v
WHERE (v.on_hand, v.value) <> (
      SELECT coalesce(sum(m.quantity), 0), coalesce(sum(m.value), 0) FROM stock_moves m
      WHERE m.product_id = v.product_id AND m.warehouse_id = v.warehouse_id AND m.kind <> 'relocation')
UNION ALL
SELECT 'stock of ' || v.product_id || ' is out of bounds'
FROM stock_levels v
WHERE NOT (0 <= v.reserved AND v.reserved <= v.on_hand AND v.value >= 0 AND (v.on_hand <> 0 OR v.value = 0))
UNION ALL
SELECT 'reserved stock of ' || v.product_id || ' differs from the orders'
FROM stock_levels v
WHERE v.reserved <> coalesce((SELECT sum(l.reserved_quantity) FROM sales_order_lines l WHERE l.known_product_id = v.product_id), 0)
UNION ALL
SELECT 'order line ' || l.id || ' has more delivered than ordered, or invoiced than delivered'
FROM sales_order_lines l JOIN sales_orders o ON o.id = l.order_id
WHERE o.lifecycle <> 'rejected'
  AND (l.delivered_quantity - l.returned_uninvoiced_quantity > l.quantity
    OR l.invoiced_quantity > l.delivered_quantity - l.returned_uninvoiced_quantity
    OR l.reserved_quantity + l.backordered_quantity + l.delivered_quantity > l.quantity)
UNION ALL
SELECT 'delivered of line ' || l.id || ' differs from its deliveries'
FROM sales_order_lines l
WHERE l.delivered_quantity <> coalesce((SELECT sum(d.quantity) FROM delivery_lines d WHERE d.line_id = l.id), 0)
UNION ALL
SELECT 'invoiced of line ' || l.id || ' differs from its invoices'
FROM sales_order_lines l
WHERE l.invoiced_quantity <> coalesce((
    SELECT sum(n.quantity) FROM invoice_lines n JOIN invoices i ON i.id = n.invoice_id
    WHERE n.order_line_id = l.id AND i.kind = 'invoice' AND i.status <> 'draft'), 0)
UNION ALL
SELECT 'more than there is was cleared of ' || i.document_type || ' ' || i.document_id
FROM open_items i
WHERE abs(i.open_amount) > abs(i.amount) OR i.open_amount * i.amount < 0 OR (i.open_amount = 0 AND i.open_base_amount <> 0)
UNION ALL
SELECT 'what is open of ' || i.document_type || ' ' || i.document_id || ' differs from its allocations'
FROM open_items i
WHERE i.document_type IN ('invoice', 'supplier_bill') AND i.amount > 0 AND i.open_amount <> 0
  AND i.amount - i.open_amount <> coalesce((SELECT sum(amount) FROM allocations WHERE item_id = i.id), 0)
UNION ALL
SELECT 'advance ' || v.id || ' differs from its item and its taxes'
FROM advances v JOIN open_items i ON i.id = v.item_id
WHERE v.open_gross <> i.open_amount + coalesce((SELECT sum((t ->> 'tax')::numeric) FROM jsonb_array_elements(v.taxes_open) t), 0)
UNION ALL
SELECT 'numbers of ' || n.key || ' have a gap: ' || n.found || ' of ' || n.last_number
FROM (
    SELECT s.series || ' ' || y.name AS key, s.last_number, (
        SELECT count(DISTINCT number) FROM (
            SELECT number FROM journal_entries WHERE s.series LIKE 'journal:%'
            UNION ALL SELECT number FROM invoices WHERE s.series IN ('invoice', 'credit_note')
            UNION ALL SELECT number FROM payments WHERE s.series = 'payment'
            UNION ALL SELECT number FROM prepayments WHERE s.series = 'prepayment'
            UNION ALL SELECT number FROM supplier_bills WHERE s.series = 'bill'
            UNION ALL SELECT number FROM receipts WHERE s.series = 'receipt'
            UNION ALL SELECT number FROM stock_counts WHERE s.series = 'count'
            UNION ALL SELECT number FROM sales_returns WHERE s.series = 'return'
            UNION ALL SELECT number FROM purchase_orders WHERE s.series = 'purchase_order'
        ) AS numbered WHERE number LIKE p.prefix || '-' || y.name || '-%') AS found
    FROM series_numbers s JOIN series p ON p.key = s.series JOIN fiscal_years y ON y.id = s.fiscal_year_id
    WHERE s.series LIKE 'journal:%'
       OR s.series IN ('invoice', 'credit_note', 'payment', 'prepayment', 'bill', 'receipt', 'count', 'return', 'purchase_order')
) AS n
WHERE n.found <> n.last_number
