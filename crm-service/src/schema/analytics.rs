//! Analyses that were made, and plans.

diesel::table! {
    analysis_runs (id) {
        id -> Uuid,
        kind -> Text,
        subject -> Text,
        from_day -> Date,
        to_day -> Date,
        against_from -> Nullable<Date>,
        against_to -> Nullable<Date>,
        thresholds -> Json,
        currency -> Text,
        sees -> Text,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        net -> Numeric,
        net_before -> Nullable<Numeric>,
        classes -> Json,
        as_of -> Timestamptz,
        revision -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    plans (id) {
        id -> Uuid,
        of -> Text,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        month -> Date,
        kind -> Text,
        target -> Numeric,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
