//! Segments and who is in them; see `migrations/`.

diesel::table! {
    segments (id) {
        id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        kind -> Text,
        status -> Text,
        rule -> Nullable<Text>,
        source_version -> Int8,
        as_of -> Timestamptz,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    segment_members (id) {
        id -> Uuid,
        segment_id -> Uuid,
        customer_id -> Uuid,
        entered_at -> Timestamptz,
        left_at -> Nullable<Timestamptz>,
        source_version -> Int8,
        as_of -> Timestamptz,
    }
}

// A view.
diesel::table! {
    segment_buyers (segment_id, customer_id) {
        segment_id -> Uuid,
        customer_id -> Uuid,
    }
}

diesel::allow_tables_to_appear_in_same_query!(segments, segment_members);
use super::{customers, sales_orders};
diesel::allow_tables_to_appear_in_same_query!(segment_members, customers);
diesel::allow_tables_to_appear_in_same_query!(segment_buyers, sales_orders);
