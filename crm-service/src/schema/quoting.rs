//! Quotes, what hangs on them, and the templates of their documents.

use super::{customers, deals, orders};

diesel::table! {
    discount_limits (id) {
        id -> Uuid,
        role -> Nullable<Text>,
        user_id -> Nullable<Uuid>,
        max_discount -> Numeric,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    quotes (id) {
        id -> Uuid,
        root_id -> Uuid,
        version_number -> Int4,
        supersedes_id -> Nullable<Uuid>,
        superseded_by -> Nullable<Uuid>,
        number -> Nullable<Text>,
        title -> Text,
        state -> Text,
        customer_id -> Uuid,
        contact_id -> Nullable<Uuid>,
        deal_id -> Nullable<Uuid>,
        currency -> Text,
        language -> Nullable<Text>,
        valid_until -> Date,
        requested_date -> Nullable<Date>,
        introduction -> Nullable<Text>,
        terms -> Nullable<Text>,
        net -> Numeric,
        greatest_discount -> Numeric,
        makers -> Array<Uuid>,
        content_hash -> Nullable<Text>,
        sent_at -> Nullable<Timestamptz>,
        sent_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamptz>,
        decision_note -> Nullable<Text>,
        order_id -> Nullable<Uuid>,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    quote_lines (id) {
        id -> Uuid,
        quote_id -> Uuid,
        position -> Int4,
        product_id -> Uuid,
        sku -> Text,
        name -> Text,
        unit -> Text,
        quantity -> Numeric,
        unit_price -> Nullable<Numeric>,
        price_given -> Bool,
        list_price -> Nullable<Numeric>,
        discount -> Numeric,
        line_total -> Nullable<Numeric>,
        price_trace -> Nullable<Json>,
    }
}

diesel::table! {
    quote_approvals (id) {
        id -> Uuid,
        quote_id -> Uuid,
        state -> Text,
        content_hash -> Text,
        discount -> Numeric,
        note -> Nullable<Text>,
        requested_by_id -> Uuid,
        requested_by -> Text,
        requested_at -> Timestamptz,
        decided_by_id -> Nullable<Uuid>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamptz>,
        decision_note -> Nullable<Text>,
    }
}

diesel::table! {
    quote_documents (quote_id) {
        quote_id -> Uuid,
        html -> Text,
        sha256 -> Text,
        language -> Text,
        template_id -> Nullable<Uuid>,
        template_version -> Nullable<Int4>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    quote_templates (id) {
        id -> Uuid,
        language -> Text,
        name -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    quote_template_versions (id) {
        id -> Uuid,
        template_id -> Uuid,
        number -> Int4,
        state -> Text,
        html -> Text,
        published_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::joinable!(quote_template_versions -> quote_templates (template_id));
diesel::allow_tables_to_appear_in_same_query!(quote_templates, quote_template_versions);
diesel::allow_tables_to_appear_in_same_query!(quotes, customers, deals, orders);
