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
