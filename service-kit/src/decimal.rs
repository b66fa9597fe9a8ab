//! Bounded decimals: exact from the wire to the database and back.
//!
//! On the wire a decimal is a JSON string with a strict pattern (no exponent, no separators, no
//! plus sign). The limits are such that `quantity × unit price × (1 − discount)` needs at most
//! 11 + 12 + 5 = 28 digits, which [`rust_decimal::Decimal`] holds exactly.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Numeric;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Why a text is not a decimal of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    #[error("{0:?} is not a decimal such as \"12.50\"")]
    Malformed(String),
    #[error("at most {integers} digits before and {fractions} after the point, and not below {minimum}")]
    OutOfRange {
        integers: u32,
        fractions: u32,
        minimum: &'static str,
    },
}

/// Parses `text` strictly: an optional minus, digits, optionally a point and digits.
fn parse(text: &str, integers: u32, fractions: u32, signed: bool) -> Result<Decimal, DecimalError> {
    let malformed = || DecimalError::Malformed(text.chars().take(40).collect());
    let out_of_range = || DecimalError::OutOfRange {
        integers,
        fractions,
        minimum: if signed { "the negative of it" } else { "0" },
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(malformed()),
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(malformed());
    }
    let significant = whole.trim_start_matches('0');
    let exact = fraction.trim_end_matches('0');
    if significant.len() > integers as usize || exact.len() > fractions as usize {
        return Err(out_of_range());
    }
    let whole = if significant.is_empty() { "0" } else { significant };
    let mut value = Decimal::from_str(&format!("{whole}.{exact}0")).map_err(|_| malformed())?;
    value = value.normalize();
    value.set_sign_negative(negative && !value.is_zero());
    if value.is_sign_negative() && !signed {
        return Err(out_of_range());
    }
    Ok(value)
}

macro_rules! bounded_decimal {
    ($(#[$doc:meta])* $name:ident, $integers:literal . $fractions:literal, signed: $signed:literal, $pattern:literal, $format:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, AsExpression, FromSqlRow)]
        #[diesel(sql_type = Numeric)]
        pub struct $name(Decimal);

        impl $name {
            pub const ZERO: $name = $name(Decimal::ZERO);

            /// Checks the bounds of a value that was computed.
            ///
            /// # Errors
            /// [`DecimalError::OutOfRange`].
            pub fn new(value: Decimal) -> Result<Self, DecimalError> {
                parse(&value.normalize().to_string(), $integers, $fractions, $signed).map($name)
            }

            pub fn value(self) -> Decimal {
                self.0
            }

            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }
        }

        impl From<$name> for Decimal {
            fn from(value: $name) -> Decimal {
                value.0
            }
        }

        impl FromStr for $name {
            type Err = DecimalError;
            fn from_str(text: &str) -> Result<Self, DecimalError> {
                parse(text, $integers, $fractions, $signed).map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl FromSql<Numeric, Pg> for $name {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                Decimal::from_sql(bytes).map(|value| $name(value.normalize()))
            }
        }

        impl ToSql<Numeric, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <Decimal as ToSql<Numeric, Pg>>::to_sql(&self.0, out)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .format(Some(utoipa::openapi::SchemaFormat::Custom($format.to_owned())))
                    .max_length(Some(40))
                    .examples([$example])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

bounded_decimal!(
    /// A quantity in a unit of measure; at most 8 digits before and 3 after the point.
    Quantity, 8 . 3, signed: false, r"^[0-9]{1,24}(\.[0-9]{1,12})?$", "quantity", "12.5"
);
bounded_decimal!(
    /// A signed change of stock; the bounds of [`Quantity`].
    SignedQuantity, 8 . 3, signed: true, r"^-?[0-9]{1,24}(\.[0-9]{1,12})?$", "signed-quantity", "-3"
);
bounded_decimal!(
    /// A price per unit, in the currency of its document; at most 8 digits before and 4 after the point.
    UnitPrice, 8 . 4, signed: false, r"^[0-9]{1,24}(\.[0-9]{1,12})?$", "unit-price", "9.80"
);
bounded_decimal!(
    /// A sum of money in a currency that stands beside it; at most 16 digits before and 4 after the point.
    Amount, 16 . 4, signed: true, r"^-?[0-9]{1,24}(\.[0-9]{1,12})?$", "amount", "1265.79"
);
bounded_decimal!(
    /// A discount as a fraction of the price: `"0.05"` is 5 %.
    Fraction, 1 . 4, signed: false, r"^(0(\.[0-9]{1,12})?|1(\.0{1,12})?)$", "fraction", "0.05"
);

bounded_decimal!(
    /// An exchange rate; at most 10 digits before and 10 after the point.
    Rate, 10 . 10, signed: false, r"^[0-9]{1,24}(\.[0-9]{1,12})?$", "exchange-rate", "1.0823"
);
bounded_decimal!(
    /// A tax rate as a fraction of what is taxed: `"0.19"` is 19 %; at most 6 digits after the point.
    TaxRate, 2 . 6, signed: false, r"^[0-9]{1,24}(\.[0-9]{1,12})?$", "tax-rate", "0.19"
);

/// Whether a text is a decimal of some kind.
pub(crate) type Check = fn(&str) -> Result<(), DecimalError>;

/// The formats of decimals in the OpenAPI documents, each with its parser: what a pattern cannot
/// say, the bounds, is checked with the schema and so named with every other fault.
pub(crate) const FORMATS: &[(&str, Check)] = &[
    ("quantity", |text| text.parse::<Quantity>().map(drop)),
    ("signed-quantity", |text| text.parse::<SignedQuantity>().map(drop)),
    ("unit-price", |text| text.parse::<UnitPrice>().map(drop)),
    ("amount", |text| text.parse::<Amount>().map(drop)),
    ("fraction", |text| text.parse::<Fraction>().map(drop)),
    ("exchange-rate", |text| text.parse::<Rate>().map(drop)),
    ("tax-rate", |text| text.parse::<TaxRate>().map(drop)),
];

/// A discount as a fraction of the price, 0 to 1: `"0.05"` is 5 %.
pub type Discount = Fraction;

impl Fraction {
    /// Whether it lies between 0 and 1, as a discount must.
    pub fn is_proper(self) -> bool {
        self.0 <= Decimal::ONE
    }
}

impl Amount {
    /// An amount shown with the minor digits of its currency: 5 USD is `5.00`.
    pub fn money(currency: crate::money::Currency, value: Decimal) -> Option<Self> {
        Amount::new(value).ok()?;
        Some(Amount(currency.round(value)))
    }
}

impl std::ops::Add for Quantity {
    type Output = Quantity;
    fn add(self, other: Quantity) -> Quantity {
        Quantity(self.0 + other.0)
    }
}

impl std::ops::Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        Quantity(self.0 - other.0)
    }
}

impl Quantity {
    /// What is left when `other` is taken away, at least 0.
    pub fn less(self, other: Quantity) -> Quantity {
        Quantity((self.0 - other.0).max(Decimal::ZERO))
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(items: I) -> Quantity {
        items.fold(Quantity::ZERO, |sum, item| sum + item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_plainly_a_decimal() {
        for text in [
            "", "-", ".5", "5.", "1e5", "1_000", "+1", " 1", "1 ", "NaN", "0x1", "1,5", "--1", "٣",
        ] {
            assert!(
                matches!(Quantity::from_str(text), Err(DecimalError::Malformed(_))),
                "{text:?}"
            );
        }
        for text in ["123456789", "1.0001", "-1"] {
            assert!(
                matches!(Quantity::from_str(text), Err(DecimalError::OutOfRange { .. })),
                "{text:?}"
            );
        }
        assert_eq!(
            Quantity::from_str("0000012.5000").map(|q| q.to_string()),
            Ok("12.5".to_owned())
        );
        assert_eq!(
            SignedQuantity::from_str("-0").map(|q| q.to_string()),
            Ok("0".to_owned())
        );
    }

    proptest! {
        #[test]
        fn a_line_is_exact(q in 0u64..=99_999_999_999, p in 0u64..=999_999_999_999, d in 0u32..=10_000) {
            let (q, p, d) = (Decimal::new(q as i64, 3), Decimal::new(p as i64, 4), Decimal::new(i64::from(d), 4));
            let exact = q.checked_mul(p).and_then(|qp| qp.checked_mul(Decimal::ONE - d));
            prop_assert!(exact.is_some_and(|v| v.scale() <= 11));
        }

        #[test]
        fn the_wire_form_survives(n in 0u64..=99_999_999_999) {
            let quantity = Quantity::new(Decimal::new(n as i64, 3)).unwrap();
            prop_assert_eq!(Quantity::from_str(&quantity.to_string()), Ok(quantity));
        }
    }
}
