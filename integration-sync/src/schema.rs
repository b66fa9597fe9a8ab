//! The tables that are read with Diesel's typed queries.

diesel::table! {
    dead_letters (id) {
        id -> Uuid,
        flow -> Text,
        kind -> Text,
        subject -> Uuid,
        version -> Int8,
        replace -> Bool,
        as_of -> Timestamptz,
        path -> Nullable<Text>,
        request -> Nullable<Json>,
        status -> Nullable<Int4>,
        answer -> Nullable<Text>,
        reason -> Text,
        attempts -> Int4,
        state -> Text,
        resolution -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        closed_at -> Nullable<Timestamptz>,
        revision -> Int8,
    }
}
