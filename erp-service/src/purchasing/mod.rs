//! Purchasing: suppliers, requests, orders, receipts and bills.

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(_routes: &mut Routes) {}

pub const CONSTRAINTS: &[Constraint] = &[];
