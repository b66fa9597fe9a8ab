//! Pipelines, deals and what hangs on them.

diesel::table! {
    pipelines (id) {
        id -> Uuid,
        name -> Text,
        status -> Text,
        is_default -> Bool,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    pipeline_versions (id) {
        id -> Uuid,
        pipeline_id -> Uuid,
        number -> Int4,
        state -> Text,
        published_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    pipeline_stages (id) {
        id -> Uuid,
        version_id -> Uuid,
        pipeline_id -> Uuid,
        position -> Int4,
        key -> Text,
        name -> Text,
        probability -> Numeric,
        ageing_days -> Nullable<Int4>,
        next_stages -> Array<Text>,
        steps -> Json,
    }
}

diesel::table! {
    loss_reasons (id) {
        id -> Uuid,
        code -> Text,
        name -> Text,
        active -> Bool,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    deals (id) {
        id -> Uuid,
        name -> Text,
        customer_id -> Uuid,
        contact_id -> Nullable<Uuid>,
        pipeline_id -> Uuid,
        stage_id -> Uuid,
        stage_key -> Text,
        state -> Text,
        currency -> Text,
        amount -> Nullable<Numeric>,
        amount_given -> Bool,
        probability -> Numeric,
        weighted_amount -> Nullable<Numeric>,
        expected_close_on -> Nullable<Date>,
        close_key -> Date,
        source -> Nullable<Text>,
        campaign -> Nullable<Text>,
        next_step -> Nullable<Text>,
        next_step_on -> Nullable<Date>,
        loss_reason -> Nullable<Text>,
        competitor -> Nullable<Text>,
        competitor_id -> Nullable<Uuid>,
        closed_on -> Nullable<Date>,
        base_amount -> Nullable<Numeric>,
        base_currency -> Nullable<Text>,
        owner_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        stage_entered_at -> Timestamptz,
        ages_at -> Nullable<Timestamptz>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    deal_lines (id) {
        id -> Uuid,
        deal_id -> Uuid,
        position -> Int4,
        product_id -> Uuid,
        quantity -> Numeric,
        unit_price -> Nullable<Numeric>,
        price_given -> Bool,
        discount -> Numeric,
        line_total -> Nullable<Numeric>,
    }
}

diesel::table! {
    deal_steps (deal_id, step) {
        deal_id -> Uuid,
        step -> Text,
        evidence -> Text,
        evidence_id -> Nullable<Uuid>,
        completed_at -> Timestamptz,
        completed_by -> Text,
    }
}

diesel::table! {
    deal_stays (id) {
        id -> Uuid,
        deal_id -> Uuid,
        stage_id -> Uuid,
        entered_at -> Timestamptz,
        left_at -> Nullable<Timestamptz>,
        outcome -> Nullable<Text>,
    }
}

diesel::table! {
    soft_demand (deal_id) {
        deal_id -> Uuid,
        customer_id -> Uuid,
        expected_on -> Nullable<Date>,
        probability -> Numeric,
        lines -> Json,
        is_empty -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::joinable!(pipeline_versions -> pipelines (pipeline_id));
diesel::joinable!(pipeline_stages -> pipeline_versions (version_id));
diesel::joinable!(deal_stays -> pipeline_stages (stage_id));
diesel::joinable!(deals -> pipeline_stages (stage_id));
diesel::joinable!(soft_demand -> deals (deal_id));
diesel::allow_tables_to_appear_in_same_query!(
    pipelines,
    pipeline_versions,
    pipeline_stages,
    deals,
    deal_lines,
    deal_steps,
    deal_stays,
    soft_demand,
);
