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
