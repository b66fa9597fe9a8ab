//! Tables of the module; see `migrations/`.

diesel::table! {
    opening_balances (id) {
        id -> Uuid,
        account_id -> Uuid,
        currency -> Text,
        posted_on -> Date,
        amount -> Numeric,
        base_amount -> Numeric,
        entry_id -> Uuid,
        created_at -> Timestamptz,
    }
}
