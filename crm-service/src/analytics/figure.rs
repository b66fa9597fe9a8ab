//! Computed numbers that are neither money nor a quantity of one unit.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use service_kit::{Amount, Currency, Error, Result};

/// A computed number, such as a share or a sum of quantities; rounded to at most six digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure(Decimal);

impl Figure {
    pub fn new(value: Decimal) -> Self {
        Figure(value.round_dp(6).normalize())
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl utoipa::PartialSchema for Figure {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(r"^-?[0-9]{1,28}(\.[0-9]{1,6})?$"))
            .max_length(Some(40))
            .examples(["0.6129"])
            .into()
    }
}

impl utoipa::ToSchema for Figure {}

/// A sum in a currency.
pub fn money(currency: Currency, sum: Decimal) -> Result<Amount> {
    Amount::money(currency, sum).ok_or_else(|| Error::Bug("a sum is out of range".to_owned()))
}
