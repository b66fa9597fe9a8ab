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
