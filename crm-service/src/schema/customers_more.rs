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

diesel::table! {
    segments (id) {
        id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        kind -> Text,
        status -> Text,
        rule_version -> Nullable<Int4>,
        refreshed_at -> Nullable<Timestamptz>,
        due_at -> Nullable<Timestamptz>,
        refresh_day -> Nullable<Date>,
        refresh_from -> Nullable<Uuid>,
        fault -> Nullable<Text>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    segment_rules (segment_id, version) {
        segment_id -> Uuid,
        version -> Int4,
        rule -> Text,
        created_by -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    segment_members (id) {
        id -> Uuid,
        segment_id -> Uuid,
        customer_id -> Uuid,
        entered_at -> Timestamptz,
        left_at -> Nullable<Timestamptz>,
        entered_version -> Nullable<Int4>,
        rule_version -> Nullable<Int4>,
        left_version -> Nullable<Int4>,
        seen -> Nullable<Jsonb>,
        added_by -> Nullable<Text>,
        version -> Int8,
    }
}

diesel::allow_tables_to_appear_in_same_query!(segments, segment_rules, segment_members);
use super::customers;
diesel::allow_tables_to_appear_in_same_query!(segment_members, customers);

diesel::table! {
    grade_settings (id) {
        id -> Uuid,
        period_days -> Int4,
        a_revenue -> Numeric,
        a_orders -> Int4,
        b_revenue -> Numeric,
        b_orders -> Int4,
        c_revenue -> Numeric,
        c_orders -> Int4,
        revision -> Int8,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    grade_runs (id) {
        id -> Uuid,
        as_of -> Date,
        currency -> Text,
        settings -> Json,
        proposals -> Int8,
        unvalued -> Int8,
        made_by_id -> Uuid,
        made_by -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    grade_proposals (id) {
        id -> Uuid,
        run_id -> Uuid,
        customer_id -> Uuid,
        from_grade -> Nullable<Text>,
        to_grade -> Text,
        revenue -> Numeric,
        orders -> Int8,
        state -> Text,
        effective_from -> Nullable<Date>,
        reason -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamptz>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(grade_proposals, customers);

diesel::table! {
    saved_views (id) {
        id -> Uuid,
        name -> Text,
        record_type -> Text,
        filters -> Json,
        sort -> Nullable<Text>,
        column_names -> Array<Text>,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
