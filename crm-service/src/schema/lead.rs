//! Leads, how they came, and the rules for them.

diesel::table! {
    lead_forms (id) {
        id -> Uuid,
        name -> Text,
        key -> Text,
        fields -> Json,
        allowed_origins -> Array<Text>,
        honeypot -> Nullable<Text>,
        source -> Text,
        campaign -> Nullable<Text>,
        hourly_limit -> Int4,
        active -> Bool,
        previous_keys -> Json,
        old_keys -> Array<Text>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    lead_scoring_rules (id) {
        id -> Uuid,
        name -> Text,
        condition -> Text,
        points -> Int4,
        active -> Bool,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    lead_assignment_rules (id) {
        id -> Uuid,
        name -> Text,
        position -> Int4,
        condition -> Nullable<Text>,
        countries -> Array<Text>,
        postal_prefixes -> Array<Text>,
        regions -> Array<Text>,
        method -> Text,
        members -> Array<Uuid>,
        last_member -> Nullable<Uuid>,
        active -> Bool,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    leads (id) {
        id -> Uuid,
        label -> Text,
        name -> Nullable<Text>,
        company -> Nullable<Text>,
        job_title -> Nullable<Text>,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        country -> Nullable<Text>,
        postal_code -> Nullable<Text>,
        region -> Nullable<Text>,
        city -> Nullable<Text>,
        message -> Nullable<Text>,
        custom_fields -> Jsonb,
        email_key -> Nullable<Text>,
        phone_key -> Nullable<Text>,
        state -> Text,
        disqualified_reason -> Nullable<Text>,
        disqualified_note -> Nullable<Text>,
        source -> Nullable<Text>,
        campaign -> Nullable<Text>,
        form_id -> Nullable<Uuid>,
        score -> Int4,
        score_parts -> Json,
        touch_count -> Int4,
        last_touch_at -> Timestamptz,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        assigned_by -> Nullable<Uuid>,
        customer_id -> Nullable<Uuid>,
        contact_id -> Nullable<Uuid>,
        deal_id -> Nullable<Uuid>,
        converted_at -> Nullable<Timestamptz>,
        external_ref -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    lead_submissions (id) {
        id -> Uuid,
        form_id -> Uuid,
        lead_id -> Nullable<Uuid>,
        spam -> Bool,
        fields -> Json,
        origin -> Nullable<Text>,
        address_hash -> Binary,
        revision -> Int8,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    lead_touches (id) {
        id -> Uuid,
        lead_id -> Uuid,
        occurred_at -> Timestamptz,
        form_id -> Nullable<Uuid>,
        submission_id -> Nullable<Uuid>,
        import_id -> Nullable<Uuid>,
        source -> Nullable<Text>,
        campaign -> Nullable<Text>,
        utm_source -> Nullable<Text>,
        utm_medium -> Nullable<Text>,
        utm_campaign -> Nullable<Text>,
        utm_term -> Nullable<Text>,
        utm_content -> Nullable<Text>,
        referrer -> Nullable<Text>,
        landing_page -> Nullable<Text>,
        message -> Nullable<Text>,
        answers -> Json,
    }
}

diesel::allow_tables_to_appear_in_same_query!(leads, lead_submissions, lead_touches, lead_forms);
