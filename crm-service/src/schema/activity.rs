//! Activities, mail, notifications, resources and bookings.

diesel::table! {
    activities (id) {
        id -> Uuid,
        kind -> Text,
        state -> Text,
        title -> Text,
        body -> Nullable<Text>,
        subject_type -> Nullable<Text>,
        subject_id -> Nullable<Uuid>,
        customer_id -> Nullable<Uuid>,
        contact_id -> Nullable<Uuid>,
        priority -> Text,
        due_on -> Nullable<Date>,
        due_at -> Nullable<Timestamptz>,
        due_by -> Nullable<Timestamptz>,
        starts_at -> Nullable<Timestamptz>,
        ends_at -> Nullable<Timestamptz>,
        location -> Nullable<Text>,
        attendees -> Array<Text>,
        direction -> Nullable<Text>,
        phone -> Nullable<Text>,
        outcome -> Nullable<Text>,
        duration_minutes -> Nullable<Int4>,
        from_address -> Nullable<Text>,
        to_addresses -> Array<Text>,
        cc_addresses -> Array<Text>,
        message_id -> Nullable<Text>,
        thread_id -> Nullable<Uuid>,
        delivery -> Nullable<Text>,
        recurrence -> Nullable<Text>,
        series_id -> Nullable<Uuid>,
        series_start -> Nullable<Timestamp>,
        occurs_at -> Nullable<Timestamp>,
        next_id -> Nullable<Uuid>,
        remind_at -> Nullable<Timestamptz>,
        reminded_at -> Nullable<Timestamptz>,
        done_at -> Nullable<Timestamptz>,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    notifications (id) {
        id -> Uuid,
        user_id -> Uuid,
        kind -> Text,
        title -> Text,
        subject_type -> Text,
        subject -> Uuid,
        about -> Timestamptz,
        created_at -> Timestamptz,
        read_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    email_templates (id) {
        id -> Uuid,
        code -> Text,
        language -> Text,
        name -> Text,
        subject -> Text,
        text -> Text,
        html -> Nullable<Text>,
        active -> Bool,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    email_contents (activity_id) {
        activity_id -> Uuid,
        html -> Nullable<Text>,
        in_reply_to -> Nullable<Text>,
        reference_ids -> Array<Text>,
        bcc_addresses -> Array<Text>,
        attachments -> Json,
        template -> Nullable<Text>,
        language -> Nullable<Text>,
        source -> Nullable<Binary>,
        despite_withdrawn -> Nullable<Text>,
    }
}

diesel::table! {
    outgoing_mails (id) {
        id -> Uuid,
        activity_id -> Nullable<Uuid>,
        message_id -> Text,
        sender -> Text,
        recipients -> Array<Text>,
        message -> Binary,
        state -> Text,
        attempts -> Int4,
        allowed_attempts -> Int4,
        next_attempt_at -> Nullable<Timestamptz>,
        claimed_until -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        sent_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}
