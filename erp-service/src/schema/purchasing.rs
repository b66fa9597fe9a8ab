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
