//! A tree of conditions, checked against the fields that there are, and as SQL.

use super::catalogue::{Arguments, Catalogue, Field, Kind};
use super::fragment::{Bound, Fragment};
use super::parser::{Argument, Comparison, Condition, Literal, Node, Test, Value, parse};
use super::{FilterFault, refused};
use crate::custom_fields::{self, CustomField, FieldType};
use chrono::{Days, NaiveDate};
use diesel::PgConnection;
use rust_decimal::Decimal;
use serde_json::json;
use service_kit::{Amount, Currency, Permission, Read, Result, Sight, Tx};
use std::collections::BTreeMap;

/// What a filter is seen with: who asks, and when.
#[derive(Debug, Clone)]
pub struct Scope {
    pub sight: Sight,
    pub today: NaiveDate,
    /// The company's time zone.
    pub zone: &'static str,
}

impl Scope {
    pub fn of<P: Permission>(read: &Read<P>) -> Self {
        Scope {
            sight: read.actor().sight.clone(),
            today: read.today(),
            zone: read.zone(),
        }
    }

    /// Of a command; `sight` may be wider than that of its actor.
    pub fn within(tx: &Tx<'_>, sight: Sight) -> Self {
        Scope {
            sight,
            today: tx.today(),
            zone: tx.zone(),
        }
    }
}

/// A filter that was understood.
pub struct Filter {
    catalogue: &'static Catalogue,
    root: Node,
    custom: BTreeMap<String, CustomField>,
    source: Vec<char>,
}

/// One condition of a filter.
pub struct Part {
    /// As it stands in the text.
    pub words: String,
    pub condition: Fragment,
    /// What it looks at, as text.
    pub value: Fragment,
    /// It counts records that follow their own owners.
    pub follows_owners: bool,
}

/// A field in a filter.
enum Known<'a> {
    Plain(&'static Field),
    Custom(&'a CustomField),
}

impl Filter {
    /// Understands a text.
    ///
    /// # Errors
    /// 400, or 422 when `pointer` is one into a body, with every fault and its position.
    pub fn of(conn: &mut PgConnection, catalogue: &'static Catalogue, text: &str, pointer: &str) -> Result<Self> {
        let root = parse(text).map_err(|faults| refused(faults, pointer))?;
        let mut keys = Vec::new();
        conditions(&root, &mut |condition| {
            keys.extend(condition.field.strip_prefix("custom."))
        });
        let custom = match keys.is_empty() {
            true => BTreeMap::new(),
            false => custom_fields::values::of_keys(conn, catalogue.record_type, &keys)?,
        };
        let filter = Filter {
            catalogue,
            custom,
            source: text.chars().collect(),
            root,
        };
        let mut faults = Vec::new();
        conditions(&filter.root, &mut |condition| filter.check(condition, &mut faults));
        faults.sort_by_key(|fault| fault.position);
        match faults.is_empty() {
            true => Ok(filter),
            false => Err(refused(faults, pointer).into()),
        }
    }

    /// The condition on the rows of the table.
    pub fn sql(&self, scope: &Scope) -> Fragment {
        self.node(&self.root, false, scope)
    }

    /// Each condition by itself, in the order of the text.
    pub fn parts(&self, scope: &Scope) -> Vec<Part> {
        let mut parts = Vec::new();
        conditions(&self.root, &mut |condition| {
            let known = self.known(&condition.field);
            let value = match &known {
                Some(known) => Fragment::new("(")
                    .then(self.value(known, condition, scope))
                    .sql(")::text"),
                None => Fragment::new("NULL::text"),
            };
            parts.push(Part {
                words: self.source[condition.span.from..condition.span.to].iter().collect(),
                condition: self.condition(condition, false, scope),
                value,
                follows_owners: known.is_some_and(|known| known.follows_owners()),
            });
        });
        parts
    }

    /// Whether it counts records that not everybody who sees the customer may see.
    pub fn follows_owners(&self) -> bool {
        let mut found = false;
        conditions(&self.root, &mut |condition| {
            found |= self.known(&condition.field).is_some_and(|known| known.follows_owners());
        });
        found
    }

    fn known(&self, name: &str) -> Option<Known<'_>> {
        match name.strip_prefix("custom.") {
            Some(key) => self.custom.get(key).map(Known::Custom),
            None => {
                let mut fields = self.catalogue.fields.iter();
                fields
                    .find(|field| field.name.eq_ignore_ascii_case(name))
                    .map(Known::Plain)
            }
        }
    }

    fn check(&self, condition: &Condition, faults: &mut Vec<FilterFault>) {
        let mut fault = |span, code, message: String| faults.push(FilterFault::new(span, code, message));
        let Some(known) = self.known(&condition.field) else {
            let message = format!("{}s have no field {:?}", self.catalogue.record_type, condition.field);
            return fault(condition.field_span, "unknown_field", message);
        };
        let arguments: Vec<&Argument> = condition.arguments.iter().map(|(argument, _)| argument).collect();
        let wrong_arguments = match (known.arguments(), &arguments[..]) {
            (Arguments::None, []) | (Arguments::Days, [] | [Argument::Days(_)]) => None,
            (
                Arguments::CurrencyAndDays,
                [Argument::Currency(code)] | [Argument::Currency(code), Argument::Days(_)],
            ) => match code.parse::<Currency>() {
                Ok(_) => None,
                Err(_) => Some(format!("{code} is not a currency in use")),
            },
            (Arguments::None, _) => Some(format!("{} takes nothing in parentheses", condition.field)),
            (Arguments::Days, _) => Some(format!("expected {}(90 days) or no parentheses", condition.field)),
            (Arguments::CurrencyAndDays, _) => Some(format!("expected {0}(EUR) or {0}(EUR, 90 days)", condition.field)),
        };
        if let Some(message) = wrong_arguments {
            let span = condition
                .arguments
                .first()
                .map_or(condition.field_span, |(_, span)| *span);
            fault(span, "bad_argument", message);
        }
        let several = known.is_set();
        let ordered = matches!(known.literal_kind(), Kind::Number | Kind::Day | Kind::Text) && !several;
        let refused = match &condition.test {
            Test::Compare(_, _) | Test::In(_) | Test::NotIn(_) if several => Some("may have several values: use `has`"),
            Test::Has(_) if !several => Some("has one value: use `=`"),
            Test::In(_) | Test::NotIn(_) if known.literal_kind() == Kind::Bool => Some("is true or false: use `=`"),
            Test::Contains(_) if known.literal_kind() != Kind::Text || several => Some("is not a text to look into"),
            Test::Compare(comparison, _)
                if !ordered && !matches!(comparison, Comparison::Equal | Comparison::Differs) =>
            {
                Some("has no order: use `=`, `!=` or `in`")
            }
            _ => None,
        };
        if let Some(message) = refused {
            return fault(condition.span, "wrong_test", format!("{} {message}", condition.field));
        }
        for literal in condition.literals() {
            if let Some((code, message)) = known.refuses(literal) {
                fault(literal.span, code, message);
            }
        }
    }

    fn node(&self, node: &Node, negated: bool, scope: &Scope) -> Fragment {
        match (node, negated) {
            (Node::And(nodes), false) | (Node::Or(nodes), true) => {
                Fragment::joined(nodes.iter().map(|node| self.node(node, negated, scope)), " AND ")
            }
            (Node::And(nodes), true) | (Node::Or(nodes), false) => {
                Fragment::joined(nodes.iter().map(|node| self.node(node, negated, scope)), " OR ")
            }
            (Node::Not(node), _) => self.node(node, !negated, scope),
            (Node::Is(condition), _) => self.condition(condition, negated, scope),
            (Node::Faulty, _) => Fragment::new("false"),
        }
    }

    fn condition(&self, condition: &Condition, negated: bool, scope: &Scope) -> Fragment {
        let Some(known) = self.known(&condition.field) else {
            return Fragment::new("false");
        };
        let value = self.value(&known, condition, scope);
        let kind = known.literal_kind();
        let bound = |literal: &Literal| bind(kind, literal, scope);
        match &condition.test {
            Test::Compare(comparison, literal) => {
                let comparison = if negated { comparison.turned() } else { *comparison };
                if let (Comparison::Equal, Known::Custom(field)) = (comparison, &known) {
                    return self.contained(field, json!(stored(field, literal, scope)));
                }
                value.sql(comparison.sign()).bind(bound(literal))
            }
            Test::In(literals) | Test::NotIn(literals) => {
                let among = matches!(condition.test, Test::In(_)) != negated;
                let word = if among { " = ANY(" } else { " <> ALL(" };
                value.sql(word).bind(bind_all(kind, literals, scope)).sql(")")
            }
            Test::Contains(literal) => {
                let word = if negated { " NOT ILIKE " } else { " ILIKE " };
                let text = text_of(literal)
                    .replace('\\', "\\\\")
                    .replace('%', "\\%")
                    .replace('_', "\\_");
                value.sql(word).bind(Bound::Text(format!("%{text}%")))
            }
            Test::Has(literal) => {
                let held = match &known {
                    Known::Custom(field) if !negated => return self.contained(field, json!([text_of(literal)])),
                    Known::Custom(_) => value.sql(" @> ").bind(Bound::Json(json!([text_of(literal)]))),
                    Known::Plain(_) => value.sql(" @> ").bind(Bound::Texts(vec![text_of(literal)])),
                };
                match negated {
                    true => Fragment::new("NOT (").then(held).sql(")"),
                    false => held,
                }
            }
            Test::Empty | Test::NotEmpty => {
                let empty = matches!(condition.test, Test::Empty) != negated;
                match (&known, empty) {
                    (Known::Plain(field), true) if field.kind == Kind::Set => {
                        Fragment::new("cardinality(").then(value).sql(") = 0")
                    }
                    (Known::Plain(field), false) if field.kind == Kind::Set => {
                        Fragment::new("cardinality(").then(value).sql(") > 0")
                    }
                    (_, true) => value.sql(" IS NULL"),
                    (_, false) => value.sql(" IS NOT NULL"),
                }
            }
        }
    }

    /// What the index on all custom fields answers.
    fn contained(&self, field: &CustomField, value: serde_json::Value) -> Fragment {
        let column = format!("{}.custom_fields @> ", self.catalogue.table);
        Fragment::new(&column).bind(Bound::Json(json!({ field.key.clone(): value })))
    }

    /// The value that a condition looks at.
    fn value(&self, known: &Known<'_>, condition: &Condition, scope: &Scope) -> Fragment {
        match known {
            Known::Custom(field) => {
                let column = format!("{}.custom_fields", self.catalogue.table);
                custom_value(&column, field)
            }
            Known::Plain(field) => filled(field.sql, condition, scope),
        }
    }
}

/// The value of a custom field, of the SQL type that its values have.
pub(super) fn custom_value(column: &str, field: &CustomField) -> Fragment {
    let text = |cast: &str| {
        Fragment::new(&format!("({column} ->> "))
            .bind(Bound::Text(field.key.clone()))
            .sql(&format!("){cast}"))
    };
    match field.r#type {
        FieldType::Number | FieldType::Money => text("::numeric"),
        FieldType::Date => text("::date"),
        FieldType::Boolean => text("::boolean"),
        FieldType::Reference => text("::uuid"),
        FieldType::Text | FieldType::Choice => text(""),
        FieldType::MultiChoice => Fragment::new(&format!("({column} -> "))
            .bind(Bound::Text(field.key.clone()))
            .sql(")"),
    }
}

impl Known<'_> {
    fn arguments(&self) -> Arguments {
        match self {
            Known::Plain(field) => field.arguments,
            Known::Custom(_) => Arguments::None,
        }
    }

    fn follows_owners(&self) -> bool {
        matches!(self, Known::Plain(field) if field.sql.contains("{sight:"))
    }

    fn is_set(&self) -> bool {
        match self {
            Known::Plain(field) => field.kind == Kind::Set,
            Known::Custom(field) => field.r#type == FieldType::MultiChoice,
        }
    }

    /// What its values are compared as.
    fn literal_kind(&self) -> Kind {
        match self {
            Known::Plain(field) => match field.kind {
                Kind::Set => Kind::Text,
                kind => kind,
            },
            Known::Custom(field) => match field.r#type {
                FieldType::Text => Kind::Text,
                FieldType::Number | FieldType::Money => Kind::Number,
                FieldType::Date => Kind::Day,
                FieldType::Boolean => Kind::Bool,
                FieldType::Reference => Kind::Id,
                FieldType::Choice | FieldType::MultiChoice => Kind::Word(&[]),
            },
        }
    }

    /// Why the field cannot be compared with this.
    fn refuses(&self, literal: &Literal) -> Option<(&'static str, String)> {
        let wrong = |expected: &str| Some(("wrong_type", format!("expected {expected}")));
        match (self.literal_kind(), &literal.value) {
            (Kind::Text | Kind::Set, Value::Text(_))
            | (Kind::Number, Value::Number(_))
            | (Kind::Day, Value::Day(_) | Value::Today(_))
            | (Kind::Bool, Value::Bool(_)) => None,
            (Kind::Id, Value::Text(text)) if uuid::Uuid::try_parse(text).is_ok() => None,
            (Kind::Word(words), Value::Text(text)) => {
                let offered: Vec<&str> = match self {
                    Known::Custom(field) => field.choices().iter().map(|option| option.value.as_str()).collect(),
                    Known::Plain(_) => words.to_vec(),
                };
                let shown: Vec<&str> = offered.iter().copied().take(20).collect();
                (!offered.contains(&text.as_str()))
                    .then(|| ("unknown_value", format!("expected one of {}", shown.join(", "))))
            }
            (Kind::Text | Kind::Set | Kind::Word(_), _) => wrong("a text in quotes"),
            (Kind::Number, _) => wrong("a number such as 12.5"),
            (Kind::Day, _) => wrong("a day such as 2026-01-31 or today"),
            (Kind::Bool, _) => wrong("true or false"),
            (Kind::Id, _) => wrong("an id in quotes"),
        }
    }
}

impl Condition {
    fn literals(&self) -> &[Literal] {
        match &self.test {
            Test::Compare(_, literal) | Test::Contains(literal) | Test::Has(literal) => std::slice::from_ref(literal),
            Test::In(literals) | Test::NotIn(literals) => literals,
            Test::Empty | Test::NotEmpty => &[],
        }
    }
}

impl Comparison {
    fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => " = ",
            Comparison::Differs => " <> ",
            Comparison::Below => " < ",
            Comparison::AtMost => " <= ",
            Comparison::Above => " > ",
            Comparison::AtLeast => " >= ",
        }
    }

    fn turned(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::Differs,
            Comparison::Differs => Comparison::Equal,
            Comparison::Below => Comparison::AtLeast,
            Comparison::AtMost => Comparison::Above,
            Comparison::Above => Comparison::AtMost,
            Comparison::AtLeast => Comparison::Below,
        }
    }
}

/// Puts what is bound into the SQL of a field.
fn filled(sql: &str, condition: &Condition, scope: &Scope) -> Fragment {
    let mut fragment = Fragment::default();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        fragment = fragment.sql(before);
        fragment = match name {
            "zone" => fragment.bind(Bound::Text(scope.zone.to_owned())),
            "currency" => {
                let code = condition.arguments.iter().find_map(|(argument, _)| match argument {
                    Argument::Currency(code) => Some(code.clone()),
                    Argument::Days(_) => None,
                });
                fragment.bind(Bound::Text(code.unwrap_or_default()))
            }
            "since" => {
                let days = condition.arguments.iter().find_map(|(argument, _)| match argument {
                    Argument::Days(days) => Some(u64::from(*days)),
                    Argument::Currency(_) => None,
                });
                match days.and_then(|days| scope.today.checked_sub_days(Days::new(days))) {
                    Some(since) => fragment.bind(Bound::Day(since)),
                    None => fragment.sql("'-infinity'::date"),
                }
            }
            sight => in_sight(fragment, sight.trim_start_matches("sight:"), &scope.sight),
        };
        rest = after;
    }
    fragment.sql(rest)
}

/// The condition that rows of an alias are in sight, appended.
pub fn in_sight(fragment: Fragment, alias: &str, sight: &Sight) -> Fragment {
    let (all, user, teams) = sight.binds();
    if all {
        return fragment.sql("true");
    }
    fragment
        .sql(&format!("({alias}.owner_id = "))
        .bind(Bound::MaybeId(user))
        .sql(&format!(" OR {alias}.team_id = ANY("))
        .bind(Bound::Ids(teams))
        .sql("))")
}

fn text_of(literal: &Literal) -> String {
    match &literal.value {
        Value::Text(text) => text.clone(),
        _ => String::new(),
    }
}

fn day_of(literal: &Literal, scope: &Scope) -> NaiveDate {
    match literal.value {
        Value::Day(day) => day,
        Value::Today(offset) => {
            let shift = chrono::TimeDelta::days(offset);
            scope.today.checked_add_signed(shift).unwrap_or(scope.today)
        }
        _ => scope.today,
    }
}

fn number_of(literal: &Literal) -> Decimal {
    match literal.value {
        Value::Number(number) => number,
        _ => Decimal::ZERO,
    }
}

fn bind(kind: Kind, literal: &Literal, scope: &Scope) -> Bound {
    match kind {
        Kind::Number => Bound::Number(number_of(literal)),
        Kind::Day => Bound::Day(day_of(literal, scope)),
        Kind::Bool => Bound::Bool(literal.value == Value::Bool(true)),
        Kind::Id => Bound::Id(text_of(literal).parse().unwrap_or_default()),
        Kind::Text | Kind::Word(_) | Kind::Set => Bound::Text(text_of(literal)),
    }
}

fn bind_all(kind: Kind, literals: &[Literal], scope: &Scope) -> Bound {
    match kind {
        Kind::Number => Bound::Numbers(literals.iter().map(number_of).collect()),
        Kind::Day => Bound::Days(literals.iter().map(|literal| day_of(literal, scope)).collect()),
        Kind::Id => Bound::Ids(
            literals
                .iter()
                .map(|l| text_of(l).parse().unwrap_or_default())
                .collect(),
        ),
        // Nobody asks a truth for several.
        Kind::Text | Kind::Word(_) | Kind::Set | Kind::Bool => Bound::Texts(literals.iter().map(text_of).collect()),
    }
}

/// A literal as the field stores it.
fn stored(field: &CustomField, literal: &Literal, scope: &Scope) -> serde_json::Value {
    match &literal.value {
        Value::Text(text) => match field.r#type {
            FieldType::Reference => text.to_lowercase().into(),
            _ => text.clone().into(),
        },
        Value::Number(number) => match Amount::new(*number) {
            // With more digits than the currency has, it equals nothing.
            Ok(amount) => custom_fields::values::canonical(field, amount)
                .unwrap_or_else(|_| number.to_string())
                .into(),
            Err(_) => number.to_string().into(),
        },
        Value::Day(_) | Value::Today(_) => day_of(literal, scope).to_string().into(),
        Value::Bool(truth) => (*truth).into(),
    }
}

fn conditions<'a>(node: &'a Node, visit: &mut impl FnMut(&'a Condition)) {
    match node {
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| conditions(node, visit)),
        Node::Not(node) => conditions(node, visit),
        Node::Is(condition) => visit(condition),
        Node::Faulty => {}
    }
}
