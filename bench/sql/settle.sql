\set c random(1, 1000)
\set p1 random(1, 333)
\set p2 random(334, 666)
\set p3 random(667, 1000)
\set q random(1, 5)
begin;
insert into lim.sales_order(customer_id,status,total) values (:c,'confirmed',:q*60) returning id as oid \gset
insert into lim.order_line values (:oid,1,:p1,:q,10),(:oid,2,:p2,:q,20),(:oid,3,:p3,:q,30);
update lim.stock set reserved=reserved+:q where product_id=:p1 and on_hand-reserved>=:q;
update lim.stock set reserved=reserved+:q where product_id=:p2 and on_hand-reserved>=:q;
update lim.stock set reserved=reserved+:q where product_id=:p3 and on_hand-reserved>=:q;
insert into lim.outbox(topic,payload) values ('order.confirmed', jsonb_build_object('order_id', :oid ::bigint));
commit;
begin;
update lim.stock set reserved=reserved-:q, on_hand=on_hand-:q where product_id=:p1;
update lim.stock set reserved=reserved-:q, on_hand=on_hand-:q where product_id=:p2;
update lim.stock set reserved=reserved-:q, on_hand=on_hand-:q where product_id=:p3;
insert into lim.delivery(order_id) values (:oid) returning id as did \gset
insert into lim.stock_move(product_id,qty,value,delivery_id) values (:p1,0-:q,0-:q*6,:did),(:p2,0-:q,0-:q*12,:did),(:p3,0-:q,0-:q*18,:did);
update lim.sales_order set status='delivered' where id=:oid;
insert into lim.outbox(topic,payload) values ('order.delivered', jsonb_build_object('order_id', :oid ::bigint));
update lim.series set last=last+1 where key='STK' returning last as n \gset
insert into lim.entry(number,posted_on,source,source_id) values ('STK-'||:n, current_date, 'delivery', :did) returning id as eid \gset
insert into lim.entry_line values (:eid,1,4,:q*36,0),(:eid,2,3,0,:q*36);
commit;
begin;
update lim.series set last=last+1 where key='invoice' returning last as n \gset
insert into lim.invoice(number,order_id,customer_id,total,open) values ('INV-'||:n,:oid,:c,:q*60,:q*60) returning id as iid \gset
insert into lim.invoice_line values (:iid,1,:p1,:q,10),(:iid,2,:p2,:q,20),(:iid,3,:p3,:q,30);
update lim.sales_order set status='invoiced' where id=:oid;
insert into lim.outbox(topic,payload) values ('invoice.posted', jsonb_build_object('invoice_id', :iid ::bigint));
update lim.series set last=last+1 where key='SAL' returning last as n \gset
insert into lim.entry(number,posted_on,source,source_id) values ('SAL-'||:n, current_date, 'invoice', :iid) returning id as eid \gset
insert into lim.entry_line values (:eid,1,2,:q*60,0),(:eid,2,5,0,:q*60);
commit;
begin;
select open from lim.invoice where id=:iid for update;
update lim.invoice set open=open-:q*60 where id=:iid;
update lim.series set last=last+1 where key='payment' returning last as n \gset
insert into lim.payment(number,customer_id,amount) values ('PAY-'||:n,:c,:q*60) returning id as pid \gset
insert into lim.allocation values (:pid,:iid,:q*60);
update lim.sales_order set status='paid' where id=:oid;
insert into lim.outbox(topic,payload) values ('payment.posted', jsonb_build_object('payment_id', :pid ::bigint));
update lim.series set last=last+1 where key='BNK' returning last as n \gset
insert into lim.entry(number,posted_on,source,source_id) values ('BNK-'||:n, current_date, 'payment', :pid) returning id as eid \gset
insert into lim.entry_line values (:eid,1,1,:q*60,0),(:eid,2,2,0,:q*60);
commit;
