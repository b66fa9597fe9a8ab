//! Purchasing, one file a resource.

mod books;
mod buying;
mod purchase_orders;
mod purchase_proposals;
mod quotations;
mod receipts;
mod requisitions;
mod supplier_bills;
mod supplier_prices;
mod supplier_returns;
mod suppliers;
