-- The least that correct books have to write when an order is delivered, invoiced and paid. Stands beside the
-- reference schema `lim`, whose customers, products, stock and orders it uses.
create table lim.delivery(id bigint generated always as identity primary key, order_id bigint not null references lim.sales_order,
  delivered_on date not null default current_date);
create table lim.stock_move(id bigint generated always as identity primary key, product_id bigint not null references lim.product,
  qty bigint not null, value numeric(14,2) not null, delivery_id bigint references lim.delivery);
create table lim.account(id bigint primary key, name text not null);
insert into lim.account values (1,'bank'),(2,'receivable'),(3,'stock'),(4,'cost'),(5,'revenue');
create table lim.series(key text primary key, last bigint not null) with (fillfactor=50);
insert into lim.series values ('invoice',0),('payment',0),('STK',0),('SAL',0),('BNK',0);
create table lim.entry(id bigint generated always as identity primary key, number text not null unique, posted_on date not null,
  source text not null, source_id bigint not null);
create table lim.entry_line(entry_id bigint not null references lim.entry, line_no int not null, account_id bigint not null references lim.account,
  debit numeric(14,2) not null, credit numeric(14,2) not null, primary key(entry_id, line_no));
create index on lim.entry_line(account_id);
create table lim.invoice(id bigint generated always as identity primary key, number text not null unique,
  order_id bigint not null references lim.sales_order, customer_id bigint not null references lim.customer,
  total numeric(14,2) not null, open numeric(14,2) not null check (open between 0 and total));
create index on lim.invoice(customer_id);
create table lim.invoice_line(invoice_id bigint not null references lim.invoice, line_no int not null, product_id bigint not null references lim.product,
  qty bigint not null, unit_price numeric(14,2) not null, primary key(invoice_id, line_no));
create table lim.payment(id bigint generated always as identity primary key, number text not null unique,
  customer_id bigint not null references lim.customer, amount numeric(14,2) not null);
create table lim.allocation(payment_id bigint not null references lim.payment, invoice_id bigint not null references lim.invoice,
  amount numeric(14,2) not null, primary key(payment_id, invoice_id));
