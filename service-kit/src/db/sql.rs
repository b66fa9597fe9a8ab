//! Hand-written SQL that stays prepared.
//!
//! Diesel's own `sql_query` is prepared anew at every call, which costs a round trip. On hot paths
//! one statement that does several things (`WITH …`) is worth writing by hand; this keeps it in
//! the connection's statement cache.

use diesel::deserialize::QueryableByName;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::LoadQuery;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use diesel::{PgConnection, QueryResult, RunQueryDsl};
use std::marker::PhantomData;

/// A statement with its bound values. Build it with [`sql`].
pub struct Sql<'a> {
    text: &'static str,
    binds: Vec<Box<dyn QueryFragment<Pg> + Send + 'a>>,
}

/// A statement whose parameters stand as `$1`, `$2` … in this order, each once.
pub fn sql<'a>(text: &'static str) -> Sql<'a> {
    Sql {
        text,
        binds: Vec::new(),
    }
}

struct Bind<T, U> {
    value: U,
    sql_type: PhantomData<fn() -> T>,
}

impl<T, U> QueryFragment<Pg> for Bind<T, U>
where
    Pg: HasSqlType<T>,
    U: ToSql<T, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<T, U>(&self.value)
    }
}

impl<'a> Sql<'a> {
    /// Binds the next parameter as the SQL type `T`.
    pub fn bind<T, U>(mut self, value: U) -> Self
    where
        T: 'a,
        Pg: HasSqlType<T>,
        U: ToSql<T, Pg> + Send + 'a,
    {
        self.binds.push(Box::new(Bind::<T, U> {
            value,
            sql_type: PhantomData,
        }));
        self
    }

    /// All rows.
    pub fn rows<R>(self, conn: &mut PgConnection) -> QueryResult<Vec<R>>
    where
        R: QueryableByName<Pg> + 'static,
        Self: LoadQuery<'a, PgConnection, R>,
    {
        RunQueryDsl::load(self, conn)
    }

    /// The only row.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub fn row<R>(self, conn: &mut PgConnection) -> QueryResult<R>
    where
        R: QueryableByName<Pg> + 'static,
        Self: LoadQuery<'a, PgConnection, R>,
    {
        self.rows(conn)?.into_iter().next().ok_or(diesel::NotFound)
    }

    /// Runs it and returns the number of rows touched.
    pub fn run(self, conn: &mut PgConnection) -> QueryResult<usize> {
        RunQueryDsl::execute(self, conn)
    }
}

impl QueryFragment<Pg> for Sql<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut binds = self.binds.iter();
        for (index, piece) in self.text.split('$').enumerate() {
            if index == 0 {
                out.push_sql(piece);
                continue;
            }
            // As in a regular expression: text.
            if !piece.starts_with(|c: char| c.is_ascii_digit()) {
                out.push_sql("$");
                out.push_sql(piece);
                continue;
            }
            // The binds number themselves; what follows the digits is text again.
            let bind = binds
                .next()
                .ok_or_else(|| diesel::result::Error::QueryBuilderError("more parameters than bound values".into()))?;
            bind.walk_ast(out.reborrow())?;
            out.push_sql(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        Ok(())
    }
}

impl QueryId for Sql<'_> {
    type QueryId = ();
    // The cache then looks at the text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sql<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<PgConnection> for Sql<'_> {}
