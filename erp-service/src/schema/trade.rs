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
