//! Tables of the module; see `migrations/`.

diesel::table! {
    exchange_rates (id) {
        id -> Uuid,
        rated_on -> Date,
        reference -> Text,
        currency -> Text,
        rate -> Numeric,
        source -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
