//! Tables of the module; see `migrations/`.

diesel::table! {
    tax_codes (id) {
        id -> Uuid,
        code -> Text,
        name -> Text,
        kind -> Text,
        report_code -> Nullable<Text>,
        reverse_charge -> Bool,
        reverse_report_code -> Nullable<Text>,
        status -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    tax_rates (tax_code_id, valid_from) {
        tax_code_id -> Uuid,
        rate -> Numeric,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    tax_rules (id) {
        id -> Uuid,
        direction -> Text,
        party_class -> Nullable<Text>,
        country -> Nullable<Text>,
        product_class -> Nullable<Text>,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        codes -> Array<Text>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
