//! The kit's tables that are read with Diesel's typed queries.

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        name -> Text,
        role -> Text,
        permissions -> Array<Text>,
        hash -> Binary,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        revision -> Int8,
    }
}

diesel::table! {
    audit_log (id) {
        id -> Int8,
        occurred_at -> Timestamptz,
        actor_id -> Uuid,
        actor -> Text,
        request_id -> Text,
        operation -> Text,
        subject_type -> Text,
        subject -> Uuid,
        revision -> Int8,
        changes -> Json,
    }
}
