//! What can be imported as CSV, one file a kind. The mechanism is the kit's
//! ([`service_kit::exchange`]); each kind says which columns it has and applies rows through the
//! functions of the module that owns the records.
//!
//! | kind | match key | |
//! |---|---|---|
//! | `products` | `sku` | |
//! | `prices` | list, product, minimum quantity, first day | |
//!
//! Every list goes out as CSV by itself, and the columns that an export has may stand in the file
//! that comes back.

mod prices;
mod products;

use service_kit::Routes;
use service_kit::exchange::Importable;
use service_kit::problem::Constraint;

pub const IMPORTS: &[Importable] = &[
    Importable::of::<products::Products>(),
    Importable::of::<prices::Prices>(),
];

pub fn routes(_routes: &mut Routes) {}

pub const CONSTRAINTS: &[Constraint] = &[];
