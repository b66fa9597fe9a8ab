//! A piece of SQL with the values that it binds: what a filter becomes.
//!
//! It is a condition for typed queries (`rows.filter(fragment)`), and, as [`Statement`], a whole query.
//! Statements with one are not kept prepared: every filter is another text.

use chrono::NaiveDate;
use diesel::deserialize::QueryableByName;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::LoadQuery;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Jsonb, Nullable, Numeric, Text, Timestamptz, Untyped, Uuid as SqlUuid,
};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Clone, Default)]
pub struct Fragment(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Sql(String),
    Bind(Bound),
}

/// A value to be bound.
#[derive(Debug, Clone)]
pub enum Bound {
    Text(String),
    Texts(Vec<String>),
    Number(Decimal),
    Numbers(Vec<Decimal>),
    Day(NaiveDate),
    Days(Vec<NaiveDate>),
    Instant(chrono::DateTime<chrono::Utc>),
    Bool(bool),
    Count(i64),
    Id(Uuid),
    MaybeId(Option<Uuid>),
    Ids(Vec<Uuid>),
    Json(Value),
}

impl Fragment {
    pub fn new(text: &str) -> Self {
        Fragment::default().sql(text)
    }

    /// Text of our own, never of a user.
    pub fn sql(mut self, text: &str) -> Self {
        match self.0.last_mut() {
            Some(Piece::Sql(last)) => last.push_str(text),
            _ => self.0.push(Piece::Sql(text.to_owned())),
        }
        self
    }

    pub fn bind(mut self, value: Bound) -> Self {
        self.0.push(Piece::Bind(value));
        self
    }

    pub fn then(mut self, other: Fragment) -> Self {
        for piece in other.0 {
            match piece {
                Piece::Sql(text) => self = self.sql(&text),
                bind => self.0.push(bind),
            }
        }
        self
    }

    /// Fragments with a word between them, in parentheses.
    pub fn joined(fragments: impl IntoIterator<Item = Fragment>, word: &str) -> Self {
        let mut all = Fragment::new("(");
        for (index, fragment) in fragments.into_iter().enumerate() {
            if index > 0 {
                all = all.sql(word);
            }
            all = all.then(fragment);
        }
        all.sql(")")
    }

    /// Of [`joined`](Fragment::joined): `[a, b]` instead of `(a, b)`.
    pub fn bracketed(mut self) -> Self {
        if let Some(Piece::Sql(first)) = self.0.first_mut()
            && first.starts_with('(')
        {
            first.replace_range(0..1, "[");
        }
        if let Some(Piece::Sql(last)) = self.0.last_mut()
            && last.ends_with(')')
        {
            last.truncate(last.len() - 1);
            last.push(']');
        }
        self
    }

    /// As a whole query.
    pub fn statement(self) -> Statement {
        Statement(self)
    }
}

impl QueryFragment<Pg> for Fragment {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        for piece in &self.0 {
            match piece {
                Piece::Sql(text) => out.push_sql(text),
                Piece::Bind(Bound::Text(value)) => out.push_bind_param::<Text, _>(value)?,
                Piece::Bind(Bound::Texts(values)) => out.push_bind_param::<Array<Text>, _>(values)?,
                Piece::Bind(Bound::Number(value)) => out.push_bind_param::<Numeric, _>(value)?,
                Piece::Bind(Bound::Numbers(values)) => out.push_bind_param::<Array<Numeric>, _>(values)?,
                Piece::Bind(Bound::Day(value)) => out.push_bind_param::<Date, _>(value)?,
                Piece::Bind(Bound::Days(values)) => out.push_bind_param::<Array<Date>, _>(values)?,
                Piece::Bind(Bound::Instant(value)) => out.push_bind_param::<Timestamptz, _>(value)?,
                Piece::Bind(Bound::Bool(value)) => out.push_bind_param::<Bool, _>(value)?,
                Piece::Bind(Bound::Count(value)) => out.push_bind_param::<BigInt, _>(value)?,
                Piece::Bind(Bound::Id(value)) => out.push_bind_param::<SqlUuid, _>(value)?,
                Piece::Bind(Bound::MaybeId(value)) => out.push_bind_param::<Nullable<SqlUuid>, _>(value)?,
                Piece::Bind(Bound::Ids(values)) => out.push_bind_param::<Array<SqlUuid>, _>(values)?,
                Piece::Bind(Bound::Json(value)) => out.push_bind_param::<Jsonb, _>(value)?,
            }
        }
        Ok(())
    }
}

impl QueryId for Fragment {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Expression for Fragment {
    type SqlType = Nullable<Bool>;
}

impl<QS> AppearsOnTable<QS> for Fragment {}
impl<QS> SelectableExpression<QS> for Fragment {}

impl<G> ValidGrouping<G> for Fragment {
    type IsAggregate = is_aggregate::Never;
}

/// A fragment that is a whole query.
pub struct Statement(Fragment);

impl Statement {
    pub fn rows<R>(self, conn: &mut PgConnection) -> QueryResult<Vec<R>>
    where
        R: QueryableByName<Pg> + 'static,
        Self: LoadQuery<'static, PgConnection, R>,
    {
        RunQueryDsl::load(self, conn)
    }

    /// # Errors
    /// `NotFound` when there is none.
    pub fn row<R>(self, conn: &mut PgConnection) -> QueryResult<R>
    where
        R: QueryableByName<Pg> + 'static,
        Self: LoadQuery<'static, PgConnection, R>,
    {
        self.rows(conn)?.into_iter().next().ok_or(diesel::NotFound)
    }

    pub fn run(self, conn: &mut PgConnection) -> QueryResult<usize> {
        RunQueryDsl::execute(self, conn)
    }
}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

impl QueryId for Statement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    type SqlType = Untyped;
}

impl RunQueryDsl<PgConnection> for Statement {}
