WITH given AS MATERIALIZED (SELECT $1::uuid AS since, $2::uuid[] AS products, $3::uuid[] AS parties)
SELECT 'account' AS what, a.code AS key, ARRAY[sum(l.debit - l.credit)] AS figures
FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id
WHERE l.entry_id > (SELECT since FROM given)
GROUP BY a.code HAVING sum(l.debit - l.credit) <> 0
UNION ALL
SELECT 'stock', product_id::text, ARRAY[on_hand, reserved, value]
FROM stock_levels
WHERE product_id = ANY ((SELECT products FROM given)::uuid[]) AND (on_hand, reserved, value) <> (0, 0, 0)
UNION ALL
SELECT 'item', document_id::text, ARRAY[sum(open_amount), sum(open_base_amount)]
FROM open_items
WHERE party_id = ANY ((SELECT parties FROM given)::uuid[]) AND side IN ('receivable', 'payable')
GROUP BY document_id HAVING (sum(open_amount), sum(open_base_amount)) <> (0, 0)
UNION ALL
SELECT 'advance', v.prepayment_id::text, ARRAY[sum(v.open_gross), sum(i.open_base_amount)]
FROM advances v JOIN open_items i ON i.id = v.item_id
WHERE v.customer_id = ANY ((SELECT parties FROM given)::uuid[])
GROUP BY v.prepayment_id HAVING (sum(v.open_gross), sum(i.open_base_amount)) <> (0, 0)
UNION ALL
SELECT 'order', id::text, ARRAY[gross, uninvoiced_gross]
FROM sales_orders
WHERE customer_id = ANY ((SELECT parties FROM given)::uuid[]) AND (gross, uninvoiced_gross) <> (0, 0)
UNION ALL
SELECT 'line', l.id::text,
    ARRAY[l.reserved_quantity, l.backordered_quantity, l.delivered_quantity, l.invoiced_quantity, l.returned_uninvoiced_quantity]
FROM sales_orders o JOIN sales_order_lines l ON l.order_id = o.id
WHERE o.customer_id = ANY ((SELECT parties FROM given)::uuid[])
  AND (l.reserved_quantity, l.backordered_quantity, l.delivered_quantity) <> (0, 0, 0)
