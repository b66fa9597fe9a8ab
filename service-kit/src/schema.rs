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
    imports (id) {
        id -> Uuid,
        kind -> Text,
        dry_run -> Bool,
        status -> Text,
        column_names -> Array<Text>,
        settings -> Json,
        row_count -> Int8,
        created_rows -> Int8,
        updated_rows -> Int8,
        unchanged_rows -> Int8,
        rejected_rows -> Int8,
        content_length -> Nullable<Int8>,
        bytes -> Int8,
        digest -> Binary,
        checked_rows -> Int8,
        actor_id -> Uuid,
        actor -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        completed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    import_rows (import_id, row_number) {
        import_id -> Uuid,
        row_number -> Int8,
        line -> Int8,
        result -> Text,
        key -> Nullable<Text>,
        record_id -> Nullable<Uuid>,
        faults -> Json,
    }
}

diesel::table! {
    import_changes (import_id, record_id) {
        import_id -> Uuid,
        record_id -> Uuid,
        before -> Nullable<Json>,
        version -> Int8,
        recorded_at -> Timestamptz,
        outcome -> Nullable<Text>,
        reason -> Nullable<Text>,
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

diesel::table! {
    teams (id) {
        id -> Uuid,
        name -> Text,
        parent_id -> Nullable<Uuid>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        email -> Text,
        name -> Text,
        role -> Text,
        permissions -> Array<Text>,
        sees -> Text,
        team_id -> Nullable<Uuid>,
        active -> Bool,
        password_hash -> Nullable<Text>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        hash -> Binary,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        user_agent -> Nullable<Text>,
    }
}
