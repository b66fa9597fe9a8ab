//! Tables of payments; see `migrations/`.

diesel::table! {
    bank_accounts (id) {
        id -> Uuid,
        name -> Text,
        iban -> Nullable<Text>,
        account_number -> Nullable<Text>,
        bic -> Nullable<Text>,
        currency -> Text,
        account_id -> Uuid,
        is_default -> Bool,
        status -> Text,
        csv_format -> Nullable<Jsonb>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    opening_items (id) {
        id -> Uuid,
        kind -> Text,
        party_id -> Uuid,
        document_number -> Text,
        document_date -> Date,
        posted_on -> Date,
        currency -> Text,
        amount -> Numeric,
        base_amount -> Numeric,
        open_item_id -> Uuid,
        entry_id -> Uuid,
        external_ref -> Nullable<Text>,
        revision -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    payments (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        status -> Text,
        direction -> Text,
        party_type -> Nullable<Text>,
        party_id -> Nullable<Uuid>,
        bank_account_id -> Uuid,
        currency -> Text,
        amount -> Numeric,
        bank_charges -> Numeric,
        base_amount -> Numeric,
        bank_charges_base -> Numeric,
        posted_on -> Date,
        reference -> Nullable<Text>,
        method -> Text,
        cash_flow_category -> Nullable<Text>,
        postings -> Jsonb,
        external_ref -> Nullable<Text>,
        entry_id -> Uuid,
        reversed_on -> Nullable<Date>,
        reversal_reason -> Nullable<Text>,
        reversal_entry_id -> Nullable<Uuid>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    clearings (id) {
        id -> Uuid,
        kind -> Text,
        status -> Text,
        open_item_id -> Uuid,
        party_id -> Uuid,
        posted_on -> Date,
        currency -> Text,
        amount -> Numeric,
        reason -> Nullable<Text>,
        entry_id -> Uuid,
        reversed_on -> Nullable<Date>,
        reversal_reason -> Nullable<Text>,
        reversal_entry_id -> Nullable<Uuid>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    settlements (allocation_id) {
        allocation_id -> Uuid,
        document_type -> Text,
        document_id -> Uuid,
        item_id -> Uuid,
        source_item_id -> Nullable<Uuid>,
        source_allocation_id -> Nullable<Uuid>,
        paid_currency -> Text,
        paid_amount -> Numeric,
        paid_base -> Numeric,
        parts -> Jsonb,
        undone_on -> Nullable<Date>,
        undone_entry_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    bank_statements (id) {
        id -> Uuid,
        bank_account_id -> Uuid,
        identification -> Text,
        format -> Text,
        from_date -> Nullable<Date>,
        to_date -> Nullable<Date>,
        currency -> Text,
        opening_balance -> Nullable<Numeric>,
        closing_balance -> Nullable<Numeric>,
        line_count -> Int4,
        revision -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    bank_statement_lines (id) {
        id -> Uuid,
        statement_id -> Uuid,
        bank_account_id -> Uuid,
        position -> Int4,
        booked_on -> Date,
        value_on -> Nullable<Date>,
        currency -> Text,
        amount -> Numeric,
        counterparty_name -> Nullable<Text>,
        counterparty_iban -> Nullable<Text>,
        reference -> Nullable<Text>,
        end_to_end_id -> Nullable<Text>,
        bank_reference -> Nullable<Text>,
        transaction_code -> Nullable<Text>,
        status -> Text,
        payment_id -> Nullable<Uuid>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    bank_posting_rules (id) {
        id -> Uuid,
        name -> Text,
        bank_account_id -> Nullable<Uuid>,
        direction -> Nullable<Text>,
        contains -> Text,
        account_id -> Uuid,
        cash_flow_category -> Nullable<Text>,
        status -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    payment_proposals (id) {
        id -> Uuid,
        number -> Text,
        status -> Text,
        bank_account_id -> Uuid,
        pay_date -> Date,
        due_to -> Date,
        take_discount -> Bool,
        minimum_amount -> Nullable<Numeric>,
        supplier_ids -> Jsonb,
        currencies -> Jsonb,
        note -> Nullable<Text>,
        reason -> Nullable<Text>,
        value -> Nullable<Numeric>,
        created_by -> Uuid,
        changed_by -> Uuid,
        submitted_by -> Nullable<Uuid>,
        approved_by -> Nullable<Uuid>,
        approved_at -> Nullable<Timestamptz>,
        executed_by -> Nullable<Uuid>,
        executed_on -> Nullable<Date>,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    proposed_payments (id) {
        id -> Uuid,
        proposal_id -> Uuid,
        position -> Int4,
        supplier_id -> Uuid,
        currency -> Text,
        amount -> Numeric,
        status -> Text,
        reason -> Nullable<Text>,
        iban -> Nullable<Text>,
        bic -> Nullable<Text>,
        account_holder -> Nullable<Text>,
        payment_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    payment_proposal_lines (id) {
        id -> Uuid,
        proposal_id -> Uuid,
        proposed_payment_id -> Uuid,
        position -> Int4,
        open_item_id -> Uuid,
        document_number -> Nullable<Text>,
        status -> Text,
        reason -> Text,
        left_out -> Nullable<Text>,
        explanation -> Text,
        open_amount -> Numeric,
        wanted -> Nullable<Numeric>,
        amount -> Numeric,
        discount -> Numeric,
        holds -> Bool,
        created_at -> Timestamptz,
    }
}

use super::{accounts, allocations, open_items};

diesel::joinable!(settlements -> allocations (allocation_id));
diesel::joinable!(payment_proposal_lines -> proposed_payments (proposed_payment_id));
diesel::joinable!(payment_proposal_lines -> open_items (open_item_id));
diesel::allow_tables_to_appear_in_same_query!(payment_proposal_lines, proposed_payments);
diesel::allow_tables_to_appear_in_same_query!(payment_proposals, proposed_payments);
diesel::allow_tables_to_appear_in_same_query!(payment_proposal_lines, open_items);
diesel::allow_tables_to_appear_in_same_query!(proposed_payments, open_items);
diesel::joinable!(bank_accounts -> accounts (account_id));
diesel::joinable!(settlements -> open_items (item_id));
diesel::allow_tables_to_appear_in_same_query!(settlements, allocations);
diesel::allow_tables_to_appear_in_same_query!(settlements, open_items);
diesel::allow_tables_to_appear_in_same_query!(bank_accounts, accounts);
