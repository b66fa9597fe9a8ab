//! The schemas of `custom_fields` of each kind of record. In the document of the routes they are open; that
//! of a running instance says what stands in them (see [`super::describe`]).

use super::RecordType;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

macro_rules! schemas {
    ($($name:ident of $record_type:ident),+ $(,)?) => {
        $(
            /// Names the schema; the values are [`super::CustomValues`].
            pub struct $name;

            impl utoipa::PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    open()
                }
            }

            impl utoipa::ToSchema for $name {}
        )+

        /// The name of the schema of each kind of record.
        pub const NAMES: &[(RecordType, &str)] = &[$((RecordType::$record_type, stringify!($name))),+];
    };
}

schemas! {
    CustomerCustomFields of Customer,
    LeadCustomFields of Lead,
    DealCustomFields of Deal,
    QuoteCustomFields of Quote,
    OrderCustomFields of Order,
}

fn open() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "Values by the key of their custom field, as `/v1/custom-fields` and the document of the running instance define them",
        ))
        .max_properties(Some(200))
        .into()
}
