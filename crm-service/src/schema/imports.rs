diesel::table! {
    customer_import_changes (import_id, customer_id) {
        import_id -> Uuid,
        customer_id -> Uuid,
        before -> Nullable<Json>,
        version -> Int8,
        recorded_at -> Timestamptz,
        outcome -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    customer_import_undos (import_id) {
        import_id -> Uuid,
        undone_at -> Timestamptz,
        undone_by -> Text,
        restored -> Int8,
        archived -> Int8,
        kept -> Int8,
    }
}
