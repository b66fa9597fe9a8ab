//! Which records somebody sees: one rule for lists, single reads, children, searches, exports and
//! figures.
//!
//! A record that has an owner carries two columns, `owner_id` and `team_id` (the owner's team when
//! it was assigned). Each record follows its own owner, not that of the record it hangs on. What is
//! out of sight is not there: a single read answers 404, a list leaves it out, a count does not
//! count it. A record without owner and team is seen by those who see all.
//!
//! Two forms of the one rule: [`visible!`](crate::visible) for typed queries, [`Sight::condition`] with
//! [`Sight::binds`] for statements written by hand.

use std::sync::Arc;
use uuid::Uuid;

/// What part of the owned records an actor sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    All,
    /// One's own, and those of one's team and the teams below it.
    Team {
        user: Uuid,
        teams: Arc<[Uuid]>,
    },
    Own {
        user: Uuid,
    },
}

/// What a statement written by hand binds, in this order: all, user, teams.
pub type SightBinds = (bool, Option<Uuid>, Vec<Uuid>);

impl Sight {
    pub fn sees_all(&self) -> bool {
        matches!(self, Sight::All)
    }

    /// Whether a record of this owner and team is in sight.
    pub fn covers(&self, owner: Option<Uuid>, team: Option<Uuid>) -> bool {
        match self {
            Sight::All => true,
            Sight::Team { user, teams } => owner == Some(*user) || team.is_some_and(|team| teams.contains(&team)),
            Sight::Own { user } => owner == Some(*user),
        }
    }

    /// What stands for this sight in a statement with [`sql`](crate::db::sql).
    pub fn binds(&self) -> SightBinds {
        match self {
            Sight::All => (true, None, Vec::new()),
            Sight::Team { user, teams } => (false, Some(*user), teams.to_vec()),
            Sight::Own { user } => (false, Some(*user), Vec::new()),
        }
    }

    /// The condition on the rows of `alias`, with the parameters `$first` (all, a bool),
    /// `$first + 1` (the user, a uuid) and `$first + 2` (the teams, uuid[]): see [`Sight::binds`].
    pub fn condition(alias: &str, first: usize) -> String {
        let (user, teams) = (first + 1, first + 2);
        format!("(${first} OR {alias}.owner_id = ${user} OR {alias}.team_id = ANY(${teams}))")
    }
}

/// The rows of a table with `owner_id` and `team_id` that a [`Sight`] covers: a filter for a boxed
/// query of that table, `rows.filter(visible!(sight, deals))`.
#[macro_export]
macro_rules! visible {
    ($sight:expr, $table:ident) => {{
        use ::diesel::prelude::*;
        type Condition = ::std::boxed::Box<
            dyn ::diesel::expression::BoxableExpression<
                    $table::table,
                    ::diesel::pg::Pg,
                    SqlType = ::diesel::sql_types::Nullable<::diesel::sql_types::Bool>,
                >,
        >;
        let condition: Condition = match $sight {
            $crate::Sight::All => ::std::boxed::Box::new(::diesel::IntoSql::into_sql::<
                ::diesel::sql_types::Nullable<::diesel::sql_types::Bool>,
            >(Some(true))),
            $crate::Sight::Team { user, teams } => {
                ::std::boxed::Box::new($table::owner_id.eq(*user).or($table::team_id.eq_any(teams.to_vec())))
            }
            $crate::Sight::Own { user } => ::std::boxed::Box::new($table::owner_id.eq(*user)),
        };
        condition
    }};
}

/// The rows of a table with `owner_id` and `team_id` that a list is asked for: those of an owner, of a
/// team, of nobody or of no team. For a boxed query and the parameters `owner_id`, `team_id`,
/// `unowned` and `teamless`: `rows = owned_by!(rows, deals, query)`.
#[macro_export]
macro_rules! owned_by {
    ($rows:expr, $table:ident, $query:expr) => {{
        let mut rows = $rows;
        if let Some(owner) = $query.owner_id {
            rows = rows.filter($table::owner_id.eq(owner));
        }
        if let Some(team) = $query.team_id {
            rows = rows.filter($table::team_id.eq(team));
        }
        rows = match $query.unowned {
            Some(true) => rows.filter($table::owner_id.is_null()),
            Some(false) => rows.filter($table::owner_id.is_not_null()),
            None => rows,
        };
        match $query.teamless {
            Some(true) => rows.filter($table::team_id.is_null()),
            Some(false) => rows.filter($table::team_id.is_not_null()),
            None => rows,
        }
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_follows_its_own_owner() {
        let (me, colleague, mine, below, other) = (
            Uuid::now_v7(),
            Uuid::now_v7(),
            Uuid::now_v7(),
            Uuid::now_v7(),
            Uuid::now_v7(),
        );
        let own = Sight::Own { user: me };
        let team = Sight::Team {
            user: me,
            teams: [mine, below].into(),
        };
        let cases = [
            (Some(me), Some(other), true, true),
            (Some(colleague), Some(mine), false, true),
            (Some(colleague), Some(below), false, true),
            (Some(colleague), Some(other), false, false),
            (None, Some(mine), false, true),
            (None, None, false, false),
        ];
        for (owner, of_team, by_own, by_team) in cases {
            assert_eq!(own.covers(owner, of_team), by_own, "{owner:?} {of_team:?}");
            assert_eq!(team.covers(owner, of_team), by_team, "{owner:?} {of_team:?}");
            assert!(Sight::All.covers(owner, of_team));
        }
    }
}
