//! Tables of the module; see `migrations/`.

diesel::table! {
    suppliers (id) {
        id -> Uuid,
        name -> Text,
        legal_name -> Nullable<Text>,
        tax_id -> Nullable<Text>,
        tax_class -> Nullable<Text>,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        addresses -> Jsonb,
        currency -> Text,
        payment_terms_id -> Nullable<Uuid>,
        iban -> Nullable<Text>,
        bic -> Nullable<Text>,
        account_holder -> Nullable<Text>,
        bank_details_changed_by -> Nullable<Uuid>,
        bank_details_changed_at -> Nullable<Timestamptz>,
        payments_blocked -> Bool,
        lead_time_days -> Int4,
        status -> Text,
        external_ref -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    supplier_prices (id) {
        id -> Uuid,
        supplier_id -> Uuid,
        product_id -> Uuid,
        supplier_sku -> Nullable<Text>,
        currency -> Text,
        unit_price -> Numeric,
        minimum_quantity -> Numeric,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        lead_time_days -> Nullable<Int4>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    purchase_approval_limits (id) {
        id -> Uuid,
        role -> Nullable<Text>,
        api_key_id -> Nullable<Uuid>,
        subject -> Text,
        amount -> Numeric,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    purchasing_settings (id) {
        id -> Uuid,
        approval_free_up_to -> Numeric,
        over_receipt_tolerance -> Numeric,
        bill_tolerance_fraction -> Numeric,
        bill_tolerance_amount -> Numeric,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    purchase_orders (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        lifecycle -> Text,
        receipt -> Text,
        supplier_id -> Uuid,
        currency -> Text,
        order_date -> Date,
        warehouse_id -> Nullable<Uuid>,
        external_ref -> Nullable<Text>,
        supplier_reference -> Nullable<Text>,
        note -> Nullable<Text>,
        net -> Numeric,
        value -> Nullable<Numeric>,
        approved_value -> Nullable<Numeric>,
        rejection -> Nullable<Text>,
        end_reason -> Nullable<Text>,
        created_by -> Uuid,
        changed_by -> Uuid,
        submitted_by -> Nullable<Uuid>,
        approved_by -> Nullable<Uuid>,
        approved_at -> Nullable<Timestamptz>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        status -> Text,
    }
}

diesel::table! {
    purchase_order_lines (id) {
        id -> Uuid,
        order_id -> Uuid,
        position -> Int4,
        product_id -> Nullable<Uuid>,
        description -> Nullable<Text>,
        account_id -> Nullable<Uuid>,
        department_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        unit -> Nullable<Text>,
        quantity -> Numeric,
        unit_price -> Numeric,
        price_source -> Text,
        supplier_sku -> Nullable<Text>,
        line_total -> Numeric,
        expected_on -> Date,
        warehouse_id -> Nullable<Uuid>,
        over_receipt_tolerance -> Nullable<Numeric>,
        received_quantity -> Numeric,
        returned_quantity -> Numeric,
        replaced_quantity -> Numeric,
        billed_quantity -> Numeric,
        matched_expected -> Numeric,
        matched_difference -> Numeric,
        requisition_line_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    receipts (id) {
        id -> Uuid,
        number -> Text,
        order_id -> Uuid,
        supplier_id -> Uuid,
        warehouse_id -> Nullable<Uuid>,
        received_on -> Date,
        supplier_reference -> Nullable<Text>,
        external_ref -> Nullable<Text>,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    receipt_lines (id) {
        id -> Uuid,
        receipt_id -> Uuid,
        position -> Int4,
        order_line_id -> Uuid,
        product_id -> Nullable<Uuid>,
        quantity -> Numeric,
        amount -> Numeric,
        value -> Numeric,
        billed_quantity -> Numeric,
        billed_value -> Numeric,
        returned_quantity -> Numeric,
        returned_value -> Numeric,
        returned_billed_quantity -> Numeric,
        lots -> Jsonb,
    }
}

diesel::table! {
    supplier_bills (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        supplier_id -> Uuid,
        supplier_number -> Text,
        status -> Text,
        currency -> Text,
        bill_date -> Date,
        due_date -> Nullable<Date>,
        payment_terms_id -> Nullable<Uuid>,
        external_ref -> Nullable<Text>,
        note -> Nullable<Text>,
        net -> Numeric,
        tax -> Numeric,
        gross -> Numeric,
        taxes -> Jsonb,
        findings -> Jsonb,
        posted_on -> Nullable<Date>,
        rate -> Nullable<Numeric>,
        release_reason -> Nullable<Text>,
        released_by -> Nullable<Uuid>,
        end_reason -> Nullable<Text>,
        entry_id -> Nullable<Uuid>,
        reversal_id -> Nullable<Uuid>,
        created_by -> Uuid,
        changed_by -> Uuid,
        posted_by -> Nullable<Uuid>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    supplier_bill_lines (id) {
        id -> Uuid,
        bill_id -> Uuid,
        position -> Int4,
        order_line_id -> Nullable<Uuid>,
        product_id -> Nullable<Uuid>,
        description -> Nullable<Text>,
        account_id -> Nullable<Uuid>,
        department_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        quantity -> Numeric,
        unit_price -> Numeric,
        line_total -> Numeric,
        price_difference -> Numeric,
        revalued -> Numeric,
        variance -> Numeric,
        exchange_difference -> Numeric,
        matched_expected -> Numeric,
        matched_difference -> Numeric,
        taxes -> Jsonb,
    }
}

diesel::table! {
    supplier_bill_matches (id) {
        id -> Uuid,
        bill_line_id -> Uuid,
        order_line_id -> Uuid,
        receipt_line_id -> Nullable<Uuid>,
        quantity -> Numeric,
        value -> Numeric,
        net -> Numeric,
        reversed -> Bool,
    }
}

diesel::table! {
    supplier_bill_revaluations (id) {
        id -> Uuid,
        bill_line_id -> Uuid,
        warehouse_id -> Uuid,
        product_id -> Uuid,
        quantity -> Numeric,
        value -> Numeric,
    }
}

diesel::table! {
    supplier_returns (id) {
        id -> Uuid,
        number -> Text,
        receipt_id -> Uuid,
        order_id -> Uuid,
        supplier_id -> Uuid,
        warehouse_id -> Nullable<Uuid>,
        returned_on -> Date,
        reason -> Text,
        replacement -> Bool,
        external_ref -> Nullable<Text>,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    supplier_return_lines (id) {
        id -> Uuid,
        return_id -> Uuid,
        position -> Int4,
        receipt_line_id -> Uuid,
        order_line_id -> Uuid,
        product_id -> Nullable<Uuid>,
        quantity -> Numeric,
        value -> Numeric,
        unbilled_quantity -> Numeric,
        unbilled_value -> Numeric,
        expected_amount -> Numeric,
        expected_credit -> Numeric,
        credited_quantity -> Numeric,
        credited_amount -> Numeric,
        credited -> Numeric,
        lots -> Jsonb,
    }
}

diesel::table! {
    supplier_credit_notes (id) {
        id -> Uuid,
        number -> Text,
        supplier_id -> Uuid,
        supplier_number -> Text,
        bill_id -> Nullable<Uuid>,
        currency -> Text,
        credit_date -> Date,
        posted_on -> Date,
        rate -> Numeric,
        reason -> Nullable<Text>,
        external_ref -> Nullable<Text>,
        net -> Numeric,
        tax -> Numeric,
        gross -> Numeric,
        taxes -> Jsonb,
        entry_id -> Nullable<Uuid>,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    supplier_credit_note_lines (id) {
        id -> Uuid,
        note_id -> Uuid,
        position -> Int4,
        return_line_id -> Nullable<Uuid>,
        product_id -> Nullable<Uuid>,
        description -> Nullable<Text>,
        account_id -> Nullable<Uuid>,
        department_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        quantity -> Numeric,
        unit_price -> Numeric,
        line_total -> Numeric,
    }
}

diesel::table! {
    requisitions (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        status -> Text,
        reason -> Nullable<Text>,
        needed_by -> Nullable<Date>,
        warehouse_id -> Nullable<Uuid>,
        external_ref -> Nullable<Text>,
        value -> Numeric,
        decision -> Nullable<Text>,
        created_by -> Uuid,
        changed_by -> Uuid,
        decided_by -> Nullable<Uuid>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    requisition_lines (id) {
        id -> Uuid,
        requisition_id -> Uuid,
        position -> Int4,
        product_id -> Nullable<Uuid>,
        description -> Nullable<Text>,
        account_id -> Nullable<Uuid>,
        department_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        quantity -> Numeric,
        estimated_price -> Nullable<Numeric>,
        supplier_id -> Nullable<Uuid>,
        ordered_quantity -> Numeric,
    }
}

diesel::table! {
    requests_for_quotation (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        status -> Text,
        note -> Nullable<Text>,
        answer_by -> Nullable<Date>,
        warehouse_id -> Nullable<Uuid>,
        external_ref -> Nullable<Text>,
        created_by -> Uuid,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    quotation_lines (id) {
        id -> Uuid,
        request_id -> Uuid,
        position -> Int4,
        product_id -> Nullable<Uuid>,
        description -> Nullable<Text>,
        quantity -> Numeric,
        requisition_line_id -> Nullable<Uuid>,
        awarded_quantity -> Numeric,
    }
}

diesel::table! {
    quotation_suppliers (request_id, supplier_id) {
        request_id -> Uuid,
        supplier_id -> Uuid,
        declined -> Bool,
        answered_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    quotation_answers (line_id, supplier_id) {
        line_id -> Uuid,
        supplier_id -> Uuid,
        currency -> Text,
        unit_price -> Numeric,
        lead_time_days -> Nullable<Int4>,
        valid_to -> Nullable<Date>,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    reorder_rules (id) {
        id -> Uuid,
        product_id -> Uuid,
        warehouse_id -> Uuid,
        minimum -> Numeric,
        target -> Numeric,
        lead_time_days -> Nullable<Int4>,
        supplier_id -> Nullable<Uuid>,
        active -> Bool,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::joinable!(supplier_return_lines -> supplier_returns (return_id));
diesel::joinable!(purchase_order_lines -> purchase_orders (order_id));
diesel::joinable!(receipt_lines -> receipts (receipt_id));
diesel::allow_tables_to_appear_in_same_query!(
    purchase_orders,
    purchase_order_lines,
    receipts,
    receipt_lines,
    supplier_bills,
    supplier_bill_lines,
    supplier_bill_matches,
    supplier_bill_revaluations,
    supplier_returns,
    supplier_return_lines,
    supplier_credit_notes,
    supplier_credit_note_lines,
    suppliers,
    supplier_prices
);
diesel::allow_tables_to_appear_in_same_query!(requisitions, requisition_lines);
diesel::allow_tables_to_appear_in_same_query!(
    requests_for_quotation,
    quotation_lines,
    quotation_suppliers,
    quotation_answers
);
