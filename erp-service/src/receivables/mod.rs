//! Receivables: invoices and credit notes to customers, and what they owe.

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(_routes: &mut Routes) {}

pub const CONSTRAINTS: &[Constraint] = &[];
