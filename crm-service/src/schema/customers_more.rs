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

diesel::table! {
    attachments (id) {
        id -> Uuid,
        subject_type -> Text,
        subject_id -> Uuid,
        customer_id -> Nullable<Uuid>,
        name -> Text,
        content_type -> Text,
        size -> Int8,
        sha256 -> Text,
        added_by -> Text,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    attachment_contents (attachment_id) {
        attachment_id -> Uuid,
        bytes -> Binary,
    }
}

diesel::table! {
    consents (id) {
        id -> Uuid,
        customer_id -> Uuid,
        contact_id -> Nullable<Uuid>,
        contact_name -> Nullable<Text>,
        channel -> Text,
        state -> Text,
        legal_basis -> Text,
        source -> Text,
        note -> Nullable<Text>,
        decided_at -> Timestamptz,
        recorded_at -> Timestamptz,
        recorded_by -> Uuid,
        recorder_name -> Text,
    }
}
