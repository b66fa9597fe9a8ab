//! Calendar feeds, resources and their bookings.

diesel::table! {
    calendar_feeds (user_id) {
        user_id -> Uuid,
        hash -> Binary,
        revision -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    resources (id) {
        id -> Uuid,
        name -> Text,
        kind -> Text,
        description -> Nullable<Text>,
        user_id -> Nullable<Uuid>,
        time_zone -> Text,
        working_hours -> Json,
        exceptions -> Json,
        active -> Bool,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    bookings (id) {
        id -> Uuid,
        resource_id -> Uuid,
        title -> Text,
        state -> Text,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        subject_type -> Nullable<Text>,
        subject_id -> Nullable<Uuid>,
        activity_id -> Nullable<Uuid>,
        customer_id -> Nullable<Uuid>,
        cancel_reason -> Nullable<Text>,
        description -> Nullable<Text>,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::joinable!(bookings -> resources (resource_id));
diesel::allow_tables_to_appear_in_same_query!(bookings, resources);
