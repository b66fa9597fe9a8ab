//! Tables of inventory and warehouse that came after the foundation; see `migrations/`.

diesel::table! {
    expected_supply (id) {
        id -> Uuid,
        product_id -> Uuid,
        warehouse_id -> Uuid,
        source_type -> Text,
        source_id -> Uuid,
        source_number -> Nullable<Text>,
        expected_on -> Date,
        quantity -> Numeric,
        open_quantity -> Numeric,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    lots (id) {
        id -> Uuid,
        product_id -> Uuid,
        code -> Text,
        serial -> Bool,
        expires_on -> Nullable<Date>,
        on_hand -> Numeric,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    locations (id) {
        id -> Uuid,
        warehouse_id -> Uuid,
        code -> Text,
        name -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    stock_places (id) {
        id -> Uuid,
        product_id -> Uuid,
        warehouse_id -> Uuid,
        lot_id -> Nullable<Uuid>,
        location_id -> Nullable<Uuid>,
        quantity -> Numeric,
    }
}

diesel::joinable!(stock_places -> lots (lot_id));
diesel::joinable!(stock_places -> locations (location_id));
diesel::allow_tables_to_appear_in_same_query!(stock_places, lots, locations);

diesel::table! {
    promises (id) {
        id -> Uuid,
        customer_id -> Uuid,
        product_id -> Uuid,
        warehouse_id -> Uuid,
        quantity -> Numeric,
        status -> Text,
        expires_at -> Timestamptz,
        order_id -> Nullable<Uuid>,
        reason -> Nullable<Text>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    promise_parts (promise_id, position) {
        promise_id -> Uuid,
        position -> Int4,
        source -> Text,
        supply_id -> Nullable<Uuid>,
        quantity -> Numeric,
        held_quantity -> Numeric,
        available_on -> Date,
    }
}

diesel::joinable!(promise_parts -> expected_supply (supply_id));
diesel::allow_tables_to_appear_in_same_query!(promises, promise_parts, expected_supply);

diesel::table! {
    transfers (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        status -> Text,
        from_warehouse_id -> Uuid,
        to_warehouse_id -> Uuid,
        transit_warehouse_id -> Uuid,
        shipped_on -> Date,
        expected_on -> Date,
        note -> Nullable<Text>,
        close_reason -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    transfer_lines (id) {
        id -> Uuid,
        transfer_id -> Uuid,
        position -> Int4,
        product_id -> Uuid,
        quantity -> Numeric,
        received_quantity -> Numeric,
        written_off_quantity -> Numeric,
        value -> Numeric,
        open_lots -> Jsonb,
    }
}

diesel::table! {
    stock_counts (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        warehouse_id -> Uuid,
        status -> Text,
        blind -> Bool,
        note -> Nullable<Text>,
        counted_on -> Date,
        counted_by -> Array<Uuid>,
        approved_by -> Nullable<Uuid>,
        reason -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    stock_count_lines (id) {
        id -> Uuid,
        count_id -> Uuid,
        position -> Int4,
        product_id -> Uuid,
        lot_id -> Nullable<Uuid>,
        location_id -> Nullable<Uuid>,
        counted_quantity -> Nullable<Numeric>,
        book_quantity -> Nullable<Numeric>,
        counted_at -> Nullable<Timestamptz>,
        value -> Nullable<Numeric>,
    }
}

diesel::joinable!(stock_count_lines -> lots (lot_id));
diesel::allow_tables_to_appear_in_same_query!(stock_count_lines, lots);
