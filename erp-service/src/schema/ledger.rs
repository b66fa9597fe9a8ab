//! Tables of the general ledger; see `migrations/`.

diesel::table! {
    accounts (id) {
        id -> Uuid,
        code -> Text,
        name -> Text,
        kind -> Text,
        parent_id -> Nullable<Uuid>,
        heading -> Bool,
        control -> Nullable<Text>,
        currency -> Nullable<Text>,
        liquid -> Bool,
        cash_flow_category -> Nullable<Text>,
        status -> Text,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    fiscal_years (id) {
        id -> Uuid,
        name -> Text,
        starts_on -> Date,
        ends_on -> Date,
        status -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        closing_entry_id -> Nullable<Uuid>,
        reopen_reason -> Nullable<Text>,
    }
}

diesel::table! {
    periods (id) {
        id -> Uuid,
        fiscal_year_id -> Uuid,
        starts_on -> Date,
        ends_on -> Date,
        status -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        accepted -> Jsonb,
        closed_at -> Nullable<Timestamptz>,
        closed_by -> Nullable<Uuid>,
        reopen_reason -> Nullable<Text>,
    }
}

diesel::table! {
    series (key) {
        key -> Text,
        prefix -> Text,
        ascending -> Bool,
        id -> Uuid,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    series_numbers (series, fiscal_year_id) {
        series -> Text,
        fiscal_year_id -> Uuid,
        last_number -> Int8,
        last_date -> Date,
    }
}

diesel::table! {
    journals (code) {
        code -> Text,
        name -> Text,
        adjusting -> Bool,
    }
}

diesel::table! {
    dimensions (id) {
        id -> Uuid,
        kind -> Text,
        code -> Text,
        name -> Text,
        status -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    posting_rules (id) {
        id -> Uuid,
        role -> Text,
        category_id -> Nullable<Uuid>,
        warehouse_id -> Nullable<Uuid>,
        tax_code -> Nullable<Text>,
        account_id -> Uuid,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    journal_entries (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        journal -> Text,
        status -> Text,
        kind -> Text,
        posted_on -> Date,
        description -> Text,
        source_type -> Text,
        source_id -> Uuid,
        source_number -> Nullable<Text>,
        reversal_of -> Nullable<Uuid>,
        reversed_by -> Nullable<Uuid>,
        draft_lines -> Nullable<Jsonb>,
        revision -> Int8,
        created_by -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    journal_entry_lines (entry_id, position) {
        entry_id -> Uuid,
        position -> Int4,
        posted_on -> Date,
        account_id -> Uuid,
        debit -> Numeric,
        credit -> Numeric,
        currency -> Text,
        amount -> Numeric,
        description -> Nullable<Text>,
        rule -> Nullable<Text>,
        open_item_id -> Nullable<Uuid>,
        department_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        tax_code -> Nullable<Text>,
        tax_base -> Nullable<Numeric>,
        tax_rate -> Nullable<Numeric>,
        tax_kind -> Nullable<Text>,
        cash_flow_category -> Nullable<Text>,
        revaluation -> Bool,
    }
}

diesel::table! {
    account_months (month, account_id, stripe) {
        account_id -> Uuid,
        month -> Date,
        stripe -> Int2,
        debit -> Numeric,
        credit -> Numeric,
    }
}

diesel::table! {
    open_items (id) {
        id -> Uuid,
        side -> Text,
        party_id -> Uuid,
        account_id -> Uuid,
        document_type -> Text,
        document_id -> Uuid,
        document_number -> Nullable<Text>,
        instalment -> Int2,
        order_id -> Nullable<Uuid>,
        currency -> Text,
        amount -> Numeric,
        posted_on -> Date,
        due_on -> Date,
        discount_until -> Nullable<Date>,
        discount -> Nullable<Numeric>,
        open_amount -> Numeric,
        open_base_amount -> Numeric,
        revalued_base -> Numeric,
        disputed -> Bool,
        dunning_level -> Int2,
        dunned_on -> Nullable<Date>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    allocations (id) {
        id -> Uuid,
        document_type -> Text,
        document_id -> Uuid,
        item_id -> Uuid,
        allocated_on -> Date,
        amount -> Numeric,
        base_amount -> Numeric,
        discount -> Numeric,
        written_off -> Numeric,
        exchange_difference -> Numeric,
        entry_id -> Uuid,
        reversal_of -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::joinable!(journal_entry_lines -> journal_entries (entry_id));
diesel::joinable!(journal_entry_lines -> accounts (account_id));
diesel::joinable!(posting_rules -> accounts (account_id));
diesel::joinable!(periods -> fiscal_years (fiscal_year_id));
diesel::joinable!(allocations -> open_items (item_id));
diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    journal_entries,
    journal_entry_lines,
    open_items,
    allocations,
    posting_rules,
    dimensions
);
diesel::allow_tables_to_appear_in_same_query!(fiscal_years, periods, series_numbers);
