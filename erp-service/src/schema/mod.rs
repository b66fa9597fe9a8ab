//! The tables, for Diesel's typed queries; each part under the header of its modules.

mod banking;
mod currencies;
mod customer_groups;
mod exchange;
mod ledger;
mod purchasing;
mod receivables;
mod stock;
mod taxes;
mod trade;

#[allow(unused_imports, reason = "a module may have no tables")]
pub use self::{
    banking::*, currencies::*, customer_groups::*, exchange::*, ledger::*, purchasing::*, receivables::*, stock::*,
    taxes::*, trade::*,
};

// ---- catalog, pricing, customers, company ----

diesel::table! {
    units (id) {
        id -> Uuid,
        code -> Text,
        name -> Text,
        revision -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    categories (id) {
        id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        parent_id -> Nullable<Uuid>,
        external_ref -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    products (id) {
        id -> Uuid,
        sku -> Text,
        name -> Text,
        description -> Nullable<Text>,
        kind -> Text,
        tracking -> Text,
        unit -> Text,
        category_id -> Nullable<Uuid>,
        status -> Text,
        external_ref -> Nullable<Text>,
        tax_class -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    price_lists (id) {
        id -> Uuid,
        name -> Text,
        currency -> Text,
        tier -> Nullable<Text>,
        customer_id -> Nullable<Uuid>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    prices (id) {
        id -> Uuid,
        price_list_id -> Uuid,
        product_id -> Uuid,
        unit_price -> Numeric,
        minimum_quantity -> Numeric,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    customers (id) {
        id -> Uuid,
        name -> Text,
        kind -> Text,
        status -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        tax_id -> Nullable<Text>,
        grade -> Nullable<Text>,
        grade_effective_from -> Nullable<Date>,
        legal_entities -> Jsonb,
        contacts -> Jsonb,
        addresses -> Jsonb,
        external_ref -> Nullable<Text>,
        source_version -> Int8,
        as_of -> Timestamptz,
        tier -> Nullable<Text>,
        tier_reason -> Nullable<Text>,
        tier_valid_to -> Nullable<Date>,
        credit_limit -> Nullable<Numeric>,
        credit_hold -> Bool,
        credit_hold_reason -> Nullable<Text>,
        blocked -> Bool,
        blocked_reason -> Nullable<Text>,
        payment_terms_id -> Nullable<Uuid>,
        overdue_stop_days -> Nullable<Int4>,
        dunning_blocked -> Bool,
        tax_class -> Nullable<Text>,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        merged_into -> Nullable<Uuid>,
    }
}

diesel::table! {
    company (id) {
        id -> Uuid,
        name -> Text,
        base_currency -> Text,
        price_deviation_limits -> Jsonb,
        invoicing_policy -> Text,
        payment_terms_id -> Uuid,
        tax_on_advances -> Bool,
        overdue_stop_days -> Nullable<Int4>,
        reference_currency -> Text,
        tax_rounding -> Text,
        discount_tax -> Text,
        bad_debt_tax -> Text,
        write_off_limit -> Numeric,
        fiscal_year_start_month -> Int2,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::joinable!(products -> categories (category_id));
diesel::joinable!(prices -> price_lists (price_list_id));
diesel::allow_tables_to_appear_in_same_query!(products, categories);
diesel::allow_tables_to_appear_in_same_query!(prices, price_lists);

// Inventory, sales and warehouse documents.

diesel::table! {
    warehouses (id) {
        id -> Uuid,
        code -> Text,
        name -> Text,
        is_default -> Bool,
        kind -> Text,
        version -> Int8,
        revision -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    stock_levels (id) {
        id -> Uuid,
        product_id -> Uuid,
        warehouse_id -> Uuid,
        on_hand -> Numeric,
        reserved -> Numeric,
        value -> Numeric,
        tracked -> Bool,
        placed -> Numeric,
        held -> Numeric,
        incoming -> Jsonb,
        last_move_on -> Nullable<Date>,
        version -> Int8,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    stock_moves (id) {
        id -> Int8,
        product_id -> Uuid,
        warehouse_id -> Uuid,
        quantity -> Numeric,
        value -> Numeric,
        moved_on -> Date,
        kind -> Text,
        lot_id -> Nullable<Uuid>,
        location_id -> Nullable<Uuid>,
        document_id -> Uuid,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    stock_adjustments (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        warehouse_id -> Uuid,
        kind -> Text,
        reason -> Text,
        adjusted_on -> Date,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    stock_adjustment_lines (adjustment_id, position) {
        adjustment_id -> Uuid,
        position -> Int4,
        product_id -> Uuid,
        quantity -> Numeric,
        unit_cost -> Nullable<Numeric>,
        value -> Numeric,
        lots -> Jsonb,
    }
}

diesel::table! {
    sales_orders (id) {
        id -> Uuid,
        number -> Nullable<Text>,
        origin -> Text,
        lifecycle -> Text,
        delivery -> Text,
        holds -> Jsonb,
        customer_id -> Uuid,
        currency -> Text,
        order_date -> Date,
        requested_date -> Nullable<Date>,
        warehouse_id -> Nullable<Uuid>,
        priority -> Int2,
        external_ref -> Nullable<Text>,
        net -> Numeric,
        tax -> Numeric,
        gross -> Numeric,
        credit_counted -> Bool,
        credit_released -> Bool,
        rejection -> Jsonb,
        cancellation -> Nullable<Jsonb>,
        end_reason -> Nullable<Text>,
        source_version -> Nullable<Int8>,
        version -> Int8,
        revision -> Int8,
        confirmed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        status -> Text,
        invoicing -> Text,
        payment -> Text,
        invoicing_policy -> Text,
        prices_include_tax -> Bool,
        tax_rounding -> Text,
        uninvoiced_gross -> Numeric,
        charges -> Jsonb,
        change_requests -> Jsonb,
        shipping_address -> Nullable<Jsonb>,
        legal_entity_id -> Nullable<Uuid>,
        department_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        promise_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    sales_order_lines (id) {
        id -> Uuid,
        order_id -> Uuid,
        position -> Int4,
        product_id -> Uuid,
        known_product_id -> Nullable<Uuid>,
        quantity -> Numeric,
        unit -> Nullable<Text>,
        unit_price -> Nullable<Numeric>,
        list_price -> Nullable<Numeric>,
        price_explanation -> Nullable<Text>,
        discount -> Numeric,
        line_total -> Nullable<Numeric>,
        reserved_quantity -> Numeric,
        backordered_quantity -> Numeric,
        delivered_quantity -> Numeric,
        invoiced_quantity -> Numeric,
        returned_quantity -> Numeric,
        returned_uninvoiced_quantity -> Numeric,
        taxes -> Jsonb,
    }
}

diesel::table! {
    deliveries (id) {
        id -> Uuid,
        number -> Text,
        order_id -> Uuid,
        warehouse_id -> Nullable<Uuid>,
        delivered_on -> Date,
        external_ref -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    delivery_lines (delivery_id, line_id) {
        delivery_id -> Uuid,
        line_id -> Uuid,
        product_id -> Uuid,
        quantity -> Numeric,
        value -> Numeric,
        lots -> Jsonb,
    }
}

diesel::joinable!(deliveries -> sales_orders (order_id));
diesel::allow_tables_to_appear_in_same_query!(sales_orders, sales_order_lines, deliveries, delivery_lines);
