//! What can be imported as CSV, one file a kind. The mechanism is the kit's
//! ([`service_kit::exchange`]); each kind says which columns it has and applies rows through the
//! functions of the module that owns the records.
//!
//! | kind | match key | |
//! |---|---|---|
//! | `products` | `sku` | |
//! | `prices` | list, product, minimum quantity, first day | |
//! | `customers` | `id` or `external_ref` | their terms only; customers are the CRM's |
//! | `suppliers` | `id` or `external_ref` | |
//! | `accounts` | `code` | the chart of accounts |
//! | `opening-balances` | account, currency, day | an entry for each, against the opening balance |
//! | `opening-items` | kind, party, document number | open invoices, bills and credits |
//! | `opening-stock` | warehouse, product, lot | with its cost; an adjustment for each batch |
//!
//! What was taken over from the time before is posted once: the same row again is unchanged, one with other figures is
//! refused. A day that a row does not name is not part of its key, so the same file sent tomorrow posts nothing anew.
//!
//! A batch looks everything up in a few statements. Products, prices and stock are also written so; the others have
//! documents or records with rules of their own behind each row, which are applied one by one.
//!
//! Every list goes out as CSV by itself, and the columns that an export has may stand in the file
//! that comes back.

mod accounts;
mod customers;
mod named;
mod opening_balances;
mod opening_items;
mod opening_stock;
mod parties;
mod prices;
mod products;
mod suppliers;

use service_kit::Routes;
use service_kit::exchange::Importable;
use service_kit::problem::Constraint;

pub const IMPORTS: &[Importable] = &[
    Importable::of::<products::Products>(),
    Importable::of::<prices::Prices>(),
    Importable::of::<customers::Customers>(),
    Importable::of::<suppliers::Suppliers>(),
    Importable::of::<accounts::Accounts>(),
    Importable::of::<opening_balances::OpeningBalances>(),
    Importable::of::<opening_items::OpeningItems>(),
    Importable::of::<opening_stock::OpeningStock>(),
];

pub fn routes(_routes: &mut Routes) {}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "opening_balances_once",
        "already_posted",
        "/account",
        "a balance was taken over for this account, currency and day",
    ),
    Constraint::conflict(
        "opening_stock_once",
        "already_posted",
        "/quantity",
        "opening stock was posted for this warehouse, product and lot",
    ),
];
