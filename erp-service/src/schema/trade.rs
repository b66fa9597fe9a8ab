//! Tables of the module; see `migrations/`.

diesel::table! {
    grade_tiers (id) {
        id -> Uuid,
        grade -> Nullable<Text>,
        tier -> Nullable<Text>,
        valid_from -> Nullable<Date>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    sales_returns (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        order_id -> Uuid,
        customer_id -> Uuid,
        warehouse_id -> Nullable<Uuid>,
        status -> Text,
        reason -> Text,
        external_ref -> Nullable<Text>,
        authorised_on -> Date,
        received_on -> Nullable<Date>,
        inspected_on -> Nullable<Date>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    sales_return_lines (id) {
        id -> Uuid,
        return_id -> Uuid,
        position -> Int4,
        line_id -> Uuid,
        delivery_id -> Uuid,
        product_id -> Uuid,
        quantity -> Numeric,
        received_quantity -> Numeric,
        uninvoiced_quantity -> Numeric,
        credited_quantity -> Numeric,
        restocked_quantity -> Numeric,
        scrapped_quantity -> Numeric,
        held_quantity -> Numeric,
        value -> Numeric,
        lots -> Jsonb,
    }
}

diesel::allow_tables_to_appear_in_same_query!(sales_returns, sales_return_lines);
