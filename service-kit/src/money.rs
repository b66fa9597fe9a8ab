//! Money: amounts with an ISO 4217 currency, rounded the way the domain says.

use crate::decimal::{Amount, Discount, Quantity, UnitPrice};
use crate::problem::Problem;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// An ISO 4217 alphabetic code of a currency in use, such as `USD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// What the OpenAPI documents call it.
    pub(crate) const FORMAT: &str = "iso-4217";

    pub const USD: Currency = Currency(iso_currency::Currency::USD);

    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits of the minor unit (ISO 4217): JPY 0, EUR 2, KWD 3. Currencies without one count 2.
    pub fn minor_digits(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }

    /// Rounds to the minor unit, half to even.
    pub fn round(self, amount: Decimal) -> Decimal {
        let digits = self.minor_digits();
        let mut rounded = amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven);
        rounded.rescale(digits);
        rounded
    }

    /// `round(quantity × unit price × (1 − discount))`, half to even to the minor unit.
    ///
    /// # Errors
    /// 422 `out_of_range` when the product does not fit 28 digits; the bounds of the types make
    /// that impossible for input that was checked.
    pub fn line_total(self, quantity: Quantity, unit_price: UnitPrice, discount: Discount) -> Result<Decimal, Problem> {
        quantity
            .value()
            .checked_mul(unit_price.value())
            .and_then(|gross| gross.checked_mul(Decimal::ONE - discount.value()))
            .map(|exact| self.round(exact))
            .ok_or_else(|| Problem::rule("out_of_range", "quantity × price is too large"))
    }
}

impl FromStr for Currency {
    type Err = String;
    fn from_str(code: &str) -> Result<Self, String> {
        iso_currency::Currency::from_code(code).map(Currency).ok_or_else(|| {
            format!(
                "{:?} is not an ISO 4217 currency code",
                code.chars().take(10).collect::<String>()
            )
        })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl FromSql<Text, Pg> for Currency {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        std::str::from_utf8(bytes.as_bytes())?.parse().map_err(Into::into)
    }
}

impl ToSql<Text, Pg> for Currency {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.code(), out)
    }
}

impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("ISO 4217 alphabetic code of a currency in use"))
            .pattern(Some("^[A-Z]{3}$"))
            .format(Some(utoipa::openapi::SchemaFormat::Custom(Currency::FORMAT.to_owned())))
            .examples(["USD"])
            .into()
    }
}

impl ToSchema for Currency {}

/// The total of a document, in its currency. Tax is 0.00 until taxes exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Total {
    /// Sum of the rounded lines.
    pub net: Amount,
    pub tax: Amount,
    /// Net + tax.
    pub gross: Amount,
}

impl Total {
    /// The total of lines that are already rounded.
    ///
    /// # Errors
    /// 422 `out_of_range` when the sum is too large.
    pub fn of_lines(currency: Currency, lines: impl IntoIterator<Item = Decimal>) -> Result<Self, Problem> {
        let too_large = || Problem::rule("out_of_range", "the total is too large");
        let sum = lines
            .into_iter()
            .try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line))
            .ok_or_else(too_large)?;
        Total::new(currency, sum).ok_or_else(too_large)
    }

    /// A total of `net` without tax, shown with the currency's minor digits.
    pub fn new(currency: Currency, net: Decimal) -> Option<Self> {
        let net = Amount::money(currency, net)?;
        let tax = Amount::money(currency, Decimal::ZERO)?;
        Some(Total { net, tax, gross: net })
    }
}
