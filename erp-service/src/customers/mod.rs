use service_kit::Routes;
use service_kit::problem::Constraint;

pub const OWNER_PATH: &str = "/v1/customers";
pub const CONSTRAINTS: &[Constraint] = &[];

pub fn routes(_: &mut Routes) {}
