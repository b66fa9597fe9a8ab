//! Requisitions: what somebody needs, before anybody knows from whom.
//!
//! ```text
//! draft ──submit──► submitted ──approve──► approved ──order──► ordered
//!   │  ▲               │ reject                │ (when every line is ordered)
//!   │  └─edit── rejected ◄┘                    │
//!   └──cancel──► cancelled ◄───────────────────┘
//! ```
//! Who made or last changed it does not approve it, and the approver's limit covers its estimate. Ordering
//! makes one purchase order for each supplier, which is then approved like any other.
//!
//! Lock order: the requisition, then numbers.

mod actions;
mod handlers;
mod model;
pub mod queries;

pub use model::{Requisition, RequisitionLineRow};

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
