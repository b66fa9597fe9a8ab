//! What the ERP says of the company's currencies.

diesel::table! {
    company (id) {
        id -> Uuid,
        name -> Text,
        base_currency -> Text,
        reference_currency -> Text,
        source_version -> Int8,
        as_of -> Timestamptz,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    exchange_rates (id) {
        id -> Uuid,
        rated_on -> Date,
        reference -> Text,
        currency -> Text,
        rate -> Numeric,
        source_version -> Int8,
        as_of -> Timestamptz,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
