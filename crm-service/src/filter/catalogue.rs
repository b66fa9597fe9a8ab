//! The fields that a filter knows, for each kind of record.
//!
//! A field is a piece of SQL over the record's table, in which stand for what is bound: `{zone}` (the company's time
//! zone), `{currency}`, `{since}` (the first day that counts), and `{sight:o}` (whether the rows of `o` are in sight).
//! Figures of orders are read from their table directly, as the analyses do.

use crate::custom_fields::RecordType;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    Number,
    Day,
    Bool,
    Id,
    /// Several texts.
    Set,
}

/// What may stand in parentheses behind a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arguments {
    None,
    /// `(90 days)`, or nothing.
    Days,
    /// `(EUR)` or `(EUR, 90 days)`.
    CurrencyAndDays,
}

#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub arguments: Arguments,
    pub sql: &'static str,
    pub about: &'static str,
}

/// The fields of a kind of record.
pub struct Catalogue {
    pub record_type: RecordType,
    /// The table, which is also its name in the statement.
    pub table: &'static str,
    pub fields: &'static [Field],
}

pub(super) const fn field(name: &'static str, kind: Kind, sql: &'static str, about: &'static str) -> Field {
    Field {
        name,
        kind,
        arguments: Arguments::None,
        sql,
        about,
    }
}

const fn figure(name: &'static str, kind: Kind, arguments: Arguments, sql: &'static str, about: &'static str) -> Field {
    Field {
        name,
        kind,
        arguments,
        sql,
        about,
    }
}

/// Orders count from their submission until they are rejected or cancelled.
macro_rules! of_orders {
    ($what:literal, $and:literal) => {
        concat!(
            "(SELECT ",
            $what,
            " FROM orders o WHERE o.customer_id = customers.id",
            " AND o.status NOT IN ('draft', 'rejected', 'cancelled')",
            $and,
            " AND {sight:o})"
        )
    };
}

/// What was done with the customer; what is still to be done has not been.
macro_rules! of_activities {
    ($what:literal, $and:literal) => {
        concat!(
            "(SELECT ",
            $what,
            " FROM activities v WHERE v.customer_id = customers.id AND v.state = 'done'",
            $and,
            " AND {sight:v})"
        )
    };
}

macro_rules! of_credit {
    ($what:literal) => {
        concat!(
            "(SELECT ",
            $what,
            " FROM customer_credits cc WHERE cc.customer_id = customers.id)"
        )
    };
}

pub const CUSTOMERS: Catalogue = Catalogue {
    record_type: RecordType::Customer,
    table: "customers",
    fields: &[
        field("name", Kind::Text, "customers.name", "the name"),
        field(
            "kind",
            Kind::Word(&["company", "person"]),
            "customers.kind",
            "company or person",
        ),
        field(
            "status",
            Kind::Word(&["active", "archived"]),
            "customers.status",
            "active or archived",
        ),
        field("email", Kind::Text, "customers.email", "the e-mail address"),
        field("phone", Kind::Text, "customers.phone", "the telephone number"),
        field("tax_id", Kind::Text, "customers.tax_id", "the tax number"),
        field(
            "external_ref",
            Kind::Text,
            "customers.external_ref",
            "what another system calls it",
        ),
        field(
            "grade",
            Kind::Word(&["A", "B", "C", "D"]),
            "customers.grade",
            "the grade",
        ),
        field(
            "grade_effective_from",
            Kind::Day,
            "customers.grade_effective_from",
            "first day of the grade",
        ),
        field("tags", Kind::Set, "customers.tags", "the tags"),
        field("parent_id", Kind::Id, "customers.parent_id", "the company above it"),
        field(
            "owner",
            Kind::Text,
            "(SELECT u.email FROM users u WHERE u.id = customers.owner_id)",
            "e-mail address of the owner",
        ),
        field(
            "team",
            Kind::Text,
            "(SELECT t.name FROM teams t WHERE t.id = customers.team_id)",
            "name of the team",
        ),
        field(
            "created_at",
            Kind::Day,
            "(customers.created_at AT TIME ZONE {zone})::date",
            "day on which it was made",
        ),
        field(
            "updated_at",
            Kind::Day,
            "(customers.updated_at AT TIME ZONE {zone})::date",
            "day of the last change",
        ),
        field(
            "country",
            Kind::Set,
            "ARRAY(SELECT a.country FROM addresses a WHERE a.customer_id = customers.id)",
            "countries of its addresses",
        ),
        field(
            "city",
            Kind::Set,
            "ARRAY(SELECT a.city FROM addresses a WHERE a.customer_id = customers.id)",
            "cities of its addresses",
        ),
        field(
            "contacts.count",
            Kind::Number,
            "(SELECT count(*)::numeric FROM contacts c WHERE c.customer_id = customers.id)",
            "how many contacts",
        ),
        field(
            "credit.tier",
            Kind::Text,
            of_credit!("cc.tier"),
            "price tier, as the ERP told it",
        ),
        field(
            "credit.limit",
            Kind::Number,
            of_credit!("cc.credit_limit"),
            "credit limit, as the ERP told it",
        ),
        field(
            "credit.hold",
            Kind::Bool,
            of_credit!("cc.credit_hold"),
            "on credit hold",
        ),
        field(
            "credit.open_balance",
            Kind::Number,
            of_credit!("cc.open_balance"),
            "what it owes, in the ERP's base currency",
        ),
        field(
            "credit.overdue_days",
            Kind::Number,
            of_credit!("cc.overdue_days::numeric"),
            "days that the oldest open invoice is overdue",
        ),
        figure(
            "orders.count",
            Kind::Number,
            Arguments::Days,
            of_orders!("count(*)::numeric", " AND o.order_date >= {since}"),
            "how many orders, of the last days",
        ),
        figure(
            "orders.sum",
            Kind::Number,
            Arguments::CurrencyAndDays,
            of_orders!(
                "coalesce(sum(o.net), 0)",
                " AND o.currency = {currency} AND o.order_date >= {since}"
            ),
            "net value of orders in a currency, of the last days",
        ),
        figure(
            "orders.revenue",
            Kind::Number,
            Arguments::Days,
            // A sum with an unknown part is unknown.
            of_orders!(
                "CASE WHEN bool_and(rate_to_base(o.currency, o.order_date) IS NOT NULL) IS FALSE THEN NULL
                    ELSE coalesce(sum(round(o.net * rate_to_base(o.currency, o.order_date), 4)), 0) END",
                " AND o.order_date >= {since}"
            ),
            "net value of orders in the company's currency, of the last days; empty when a rate is missing",
        ),
        field(
            "first_order_on",
            Kind::Day,
            of_orders!("min(o.order_date)", ""),
            "date of the first order",
        ),
        field(
            "last_order_on",
            Kind::Day,
            of_orders!("max(o.order_date)", ""),
            "date of the last order",
        ),
        figure(
            "activities.count",
            Kind::Number,
            Arguments::Days,
            of_activities!(
                "count(*)::numeric",
                " AND (v.done_at AT TIME ZONE {zone})::date >= {since}"
            ),
            "how many calls, meetings and others were done, of the last days",
        ),
        field(
            "last_activity_on",
            Kind::Day,
            of_activities!("max((v.done_at AT TIME ZONE {zone})::date)", ""),
            "day on which something was done last",
        ),
        field(
            "deals.open",
            Kind::Number,
            "(SELECT count(*)::numeric FROM deals d WHERE d.customer_id = customers.id AND d.state = 'open' AND {sight:d})",
            "how many open deals",
        ),
        field(
            "orders.first_date",
            Kind::Day,
            of_orders!("min(o.order_date)", ""),
            "date of the first order",
        ),
        field(
            "orders.last_date",
            Kind::Day,
            of_orders!("max(o.order_date)", ""),
            "date of the last order",
        ),
    ],
};
