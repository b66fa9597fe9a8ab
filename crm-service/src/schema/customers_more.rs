//! Custom fields, consent, segments … and what else there is about customers.

diesel::table! {
    custom_fields (id) {
        id -> Uuid,
        record_type -> Text,
        key -> Text,
        label -> Text,
        description -> Nullable<Text>,
        #[sql_name = "type"]
        kind -> Text,
        options -> Nullable<Json>,
        currency -> Nullable<Text>,
        refers_to -> Nullable<Text>,
        retired_at -> Nullable<Timestamptz>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
