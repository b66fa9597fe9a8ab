//! Tables of the module; see `migrations/`.

diesel::table! {
    exchange_rates (id) {
        id -> Uuid,
        rated_on -> Date,
        reference -> Text,
        currency -> Text,
        rate -> Numeric,
        source -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    revaluations (id) {
        id -> Uuid,
        number -> Text,
        revalued_on -> Date,
        reversed_on -> Date,
        base_currency -> Text,
        gain -> Numeric,
        loss -> Numeric,
        entry_id -> Nullable<Uuid>,
        reversal_entry_id -> Nullable<Uuid>,
        revision -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    revaluation_lines (revaluation_id, position) {
        revaluation_id -> Uuid,
        position -> Int4,
        kind -> Text,
        open_item_id -> Nullable<Uuid>,
        account_id -> Uuid,
        currency -> Text,
        amount -> Numeric,
        rate -> Numeric,
        book -> Numeric,
        revalued -> Numeric,
    }
}
