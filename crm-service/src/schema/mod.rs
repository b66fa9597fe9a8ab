//! The tables, as the migrations make them.

mod activity;
mod analytics;
mod customers_more;

pub use activity::*;
pub use analytics::*;
pub use customers_more::*;
mod booking;
mod currencies;
mod lead;
mod pipeline;
mod quoting;

pub use booking::*;
pub use currencies::*;
pub use lead::*;
pub use pipeline::*;
pub use quoting::*;

// ---- customers ----

diesel::table! {
    customers (id) {
        id -> Uuid,
        name -> Text,
        kind -> Text,
        status -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        tax_id -> Nullable<Text>,
        grade -> Nullable<Text>,
        grade_effective_from -> Nullable<Date>,
        external_ref -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        tags -> Array<Text>,
        parent_id -> Nullable<Uuid>,
        custom_fields -> Jsonb,
        merged_into -> Nullable<Uuid>,
        search_text -> Text,
        language -> Nullable<Text>,
    }
}

diesel::table! {
    customer_credits (customer_id) {
        customer_id -> Uuid,
        tier -> Nullable<Text>,
        credit_limit -> Nullable<Numeric>,
        credit_currency -> Nullable<Text>,
        credit_hold -> Bool,
        credit_hold_reason -> Nullable<Text>,
        blocked -> Bool,
        blocked_reason -> Nullable<Text>,
        exposure -> Nullable<Numeric>,
        exposure_parts -> Nullable<Json>,
        open_balance -> Nullable<Numeric>,
        overdue_days -> Nullable<Int8>,
        source_version -> Int8,
        as_of -> Timestamptz,
        tiers -> Nullable<Json>,
    }
}

diesel::table! {
    contacts (id) {
        id -> Uuid,
        customer_id -> Uuid,
        name -> Text,
        role -> Nullable<Text>,
        title -> Nullable<Text>,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        search_text -> Text,
    }
}

diesel::table! {
    addresses (id) {
        id -> Uuid,
        customer_id -> Uuid,
        kind -> Text,
        street -> Text,
        city -> Text,
        region -> Nullable<Text>,
        postal_code -> Nullable<Text>,
        country -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    legal_entities (id) {
        id -> Uuid,
        customer_id -> Uuid,
        name -> Text,
        tax_id -> Nullable<Text>,
        registration_number -> Nullable<Text>,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        is_default -> Bool,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    timeline_entries (id) {
        id -> Uuid,
        customer_id -> Uuid,
        occurred_at -> Timestamptz,
        source -> Text,
        kind -> Text,
        subject_type -> Text,
        subject -> Uuid,
        subject_version -> Int8,
        summary -> Text,
        data -> Jsonb,
        as_of -> Timestamptz,
        follows_owner -> Bool,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
    }
}

diesel::joinable!(customer_credits -> customers (customer_id));
diesel::allow_tables_to_appear_in_same_query!(
    customers,
    customer_credits,
    contacts,
    addresses,
    legal_entities,
    timeline_entries,
);

// ---- catalogue ----

diesel::table! {
    categories (id) {
        id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        parent_id -> Nullable<Uuid>,
        external_ref -> Nullable<Text>,
        source_version -> Int8,
        as_of -> Timestamptz,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    products (id) {
        id -> Uuid,
        sku -> Text,
        name -> Text,
        description -> Nullable<Text>,
        kind -> Text,
        unit -> Text,
        category_id -> Nullable<Uuid>,
        category_name -> Nullable<Text>,
        status -> Text,
        external_ref -> Nullable<Text>,
        source_version -> Int8,
        as_of -> Timestamptz,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    prices (id) {
        id -> Uuid,
        price_list_id -> Uuid,
        price_list_name -> Text,
        currency -> Text,
        tier -> Nullable<Text>,
        customer_id -> Nullable<Uuid>,
        product_id -> Uuid,
        unit_price -> Numeric,
        minimum_quantity -> Numeric,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        source_version -> Int8,
        as_of -> Timestamptz,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    availability (product_id, warehouse_id) {
        product_id -> Uuid,
        warehouse_id -> Uuid,
        stock_level_id -> Uuid,
        on_hand -> Numeric,
        reserved -> Numeric,
        incoming -> Jsonb,
        source_version -> Int8,
        as_of -> Timestamptz,
        revision -> Int8,
    }
}

// ---- orders ----

diesel::table! {
    orders (id) {
        id -> Uuid,
        origin -> Text,
        status -> Text,
        customer_id -> Uuid,
        currency -> Text,
        order_date -> Date,
        requested_date -> Nullable<Date>,
        external_ref -> Nullable<Text>,
        net -> Numeric,
        submitted_at -> Nullable<Timestamptz>,
        cancellation_state -> Nullable<Text>,
        cancellation_reason -> Nullable<Text>,
        cancellation_requested_at -> Nullable<Timestamptz>,
        cancellation_version -> Nullable<Int8>,
        number -> Nullable<Text>,
        rejection -> Nullable<Json>,
        fulfilment -> Nullable<Json>,
        source_version -> Nullable<Int8>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        change_requests -> Nullable<Json>,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        quote_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    order_lines (id) {
        id -> Uuid,
        order_id -> Uuid,
        position -> Int4,
        product_id -> Uuid,
        quantity -> Numeric,
        unit_price -> Nullable<Numeric>,
        price_given -> Bool,
        discount -> Numeric,
        line_total -> Nullable<Numeric>,
    }
}

// ---- documents ----

diesel::table! {
    invoices (id) {
        id -> Uuid,
        customer_id -> Uuid,
        order_id -> Nullable<Uuid>,
        kind -> Text,
        status -> Text,
        number -> Nullable<Text>,
        date -> Date,
        due_on -> Nullable<Date>,
        is_open -> Bool,
        document -> Json,
        source_version -> Int8,
        as_of -> Timestamptz,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    payments (id) {
        id -> Uuid,
        customer_id -> Uuid,
        direction -> Text,
        status -> Text,
        number -> Nullable<Text>,
        date -> Date,
        is_open -> Bool,
        document -> Json,
        source_version -> Int8,
        as_of -> Timestamptz,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
