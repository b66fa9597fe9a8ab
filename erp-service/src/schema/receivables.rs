//! Tables of receivables and payment terms; see `migrations/`.

diesel::table! {
    payment_terms (id) {
        id -> Uuid,
        code -> Text,
        name -> Text,
        net_days -> Int4,
        end_of_month -> Bool,
        discount_days -> Nullable<Int4>,
        discount -> Nullable<Numeric>,
        instalments -> Jsonb,
        status -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    invoices (id) {
        id -> Uuid,
        kind -> Text,
        number -> Nullable<Text>,
        status -> Text,
        customer_id -> Uuid,
        order_id -> Nullable<Uuid>,
        credited_invoice_id -> Nullable<Uuid>,
        return_id -> Nullable<Uuid>,
        date -> Date,
        currency -> Text,
        prices_include_tax -> Bool,
        payment_terms_id -> Nullable<Uuid>,
        legal_entity_id -> Nullable<Uuid>,
        party -> Nullable<Jsonb>,
        exchange_rate -> Nullable<Numeric>,
        taxes -> Jsonb,
        net -> Numeric,
        tax -> Numeric,
        gross -> Numeric,
        base_gross -> Nullable<Numeric>,
        advances -> Jsonb,
        advances_gross -> Numeric,
        open_amount -> Numeric,
        credited_gross -> Numeric,
        reason -> Nullable<Text>,
        notes -> Nullable<Text>,
        external_ref -> Nullable<Text>,
        department_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        entry_id -> Nullable<Uuid>,
        posted_at -> Nullable<Timestamptz>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    invoice_lines (id) {
        id -> Uuid,
        invoice_id -> Uuid,
        position -> Int4,
        kind -> Text,
        order_line_id -> Nullable<Uuid>,
        charge_id -> Nullable<Uuid>,
        charge_kind -> Nullable<Text>,
        delivery_id -> Nullable<Uuid>,
        product_id -> Nullable<Uuid>,
        account_id -> Nullable<Uuid>,
        credited_line_id -> Nullable<Uuid>,
        description -> Text,
        quantity -> Numeric,
        unit -> Nullable<Text>,
        unit_price -> Numeric,
        discount -> Numeric,
        amount -> Numeric,
        net -> Numeric,
        base_net -> Numeric,
        tax_class -> Nullable<Text>,
        taxes -> Jsonb,
        tax_point -> Nullable<Date>,
        department_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        credited_quantity -> Numeric,
        credited_amount -> Numeric,
        credited_net -> Numeric,
        credited_base_net -> Numeric,
    }
}

diesel::joinable!(invoice_lines -> invoices (invoice_id));
diesel::allow_tables_to_appear_in_same_query!(invoices, invoice_lines);

diesel::table! {
    prepayments (id) {
        id -> Uuid,
        number -> Text,
        status -> Text,
        customer_id -> Uuid,
        order_id -> Uuid,
        date -> Date,
        due_on -> Date,
        currency -> Text,
        gross -> Numeric,
        received_gross -> Numeric,
        notes -> Nullable<Text>,
        external_ref -> Nullable<Text>,
        reason -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    advances (id) {
        id -> Uuid,
        prepayment_id -> Uuid,
        customer_id -> Uuid,
        order_id -> Uuid,
        document_type -> Text,
        document_id -> Uuid,
        received_on -> Date,
        currency -> Text,
        gross -> Numeric,
        taxes -> Jsonb,
        taxes_open -> Jsonb,
        item_id -> Uuid,
        open_gross -> Numeric,
        entry_id -> Uuid,
        cancelled_on -> Nullable<Date>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
