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
        discount_taken_back -> Numeric,
        discount_parts -> Jsonb,
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

diesel::table! {
    disputes (id) {
        id -> Uuid,
        status -> Text,
        open_item_id -> Uuid,
        customer_id -> Uuid,
        document_type -> Text,
        document_id -> Uuid,
        document_number -> Nullable<Text>,
        instalment -> Int2,
        currency -> Text,
        amount -> Numeric,
        reason -> Text,
        raised_on -> Date,
        lifted_on -> Nullable<Date>,
        lifted_reason -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    dunning_levels (id) {
        id -> Uuid,
        level -> Int2,
        name -> Text,
        days_overdue -> Int4,
        waiting_days -> Int4,
        minimum_amount -> Numeric,
        fee -> Numeric,
        credit_hold -> Bool,
        texts -> Jsonb,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    dunning_settings (customer_id) {
        customer_id -> Uuid,
        language -> Nullable<Text>,
        exempt_until -> Nullable<Date>,
        exempt_reason -> Nullable<Text>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    dunning_runs (id) {
        id -> Uuid,
        status -> Text,
        date -> Date,
        customer_ids -> Jsonb,
        currency -> Nullable<Text>,
        maximum_level -> Nullable<Int2>,
        language -> Text,
        reason -> Nullable<Text>,
        issued_at -> Nullable<Timestamptz>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    dunning_letters (id) {
        id -> Uuid,
        run_id -> Uuid,
        number -> Nullable<Text>,
        status -> Text,
        customer_id -> Uuid,
        currency -> Text,
        date -> Date,
        pay_by -> Date,
        level -> Int2,
        language -> Text,
        party -> Jsonb,
        open_amount -> Numeric,
        credits -> Numeric,
        fee -> Numeric,
        credit_hold -> Bool,
        subject -> Text,
        body -> Text,
        reason -> Nullable<Text>,
        issued_at -> Nullable<Timestamptz>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    dunning_letter_items (letter_id, position) {
        letter_id -> Uuid,
        position -> Int4,
        open_item_id -> Uuid,
        document_type -> Text,
        document_id -> Uuid,
        document_number -> Nullable<Text>,
        instalment -> Int2,
        posted_on -> Date,
        due_on -> Date,
        amount -> Numeric,
        open_amount -> Numeric,
        days_overdue -> Int4,
        level_before -> Int2,
        level -> Int2,
        dropped -> Nullable<Text>,
    }
}

diesel::joinable!(invoice_lines -> invoices (invoice_id));
diesel::allow_tables_to_appear_in_same_query!(invoices, invoice_lines);
diesel::allow_tables_to_appear_in_same_query!(dunning_letters, dunning_letter_items);

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
