//! Taxes: codes, rates valid by date, how a document is taxed, the tax report.

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(_routes: &mut Routes) {}

pub const CONSTRAINTS: &[Constraint] = &[];
