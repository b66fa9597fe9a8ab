use service_kit::Routes;
use service_kit::problem::Constraint;

pub const CONSTRAINTS: &[Constraint] = &[];

pub fn routes(_: &mut Routes) {}
