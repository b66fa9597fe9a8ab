//! Users and teams: who works here, and what they see.
//!
//! A user has a role and permissions, as a key has, and beside them a sight ([`Sees`]): which of the
//! records that have an owner are there for them. `sees: team` means one's own records, those of
//! one's team and those of the teams below it. Teams form a tree without cycles.
//!
//! What always holds:
//! - An e-mail address is kept in small letters and belongs to one user.
//! - A user is never deleted: records name their owners. `deactivate` ends all their sessions at
//!   once and lets none begin; `activate` lets them sign in again.
//! - Nobody gives a user more than they hold themselves, nor changes, or sets the password of, a
//!   user who holds more.
//! - A record keeps the team that it was assigned to, also when its owner moves to another.
//!
//! Reading is for all who may see whose a record is (`users:read`); writing needs `users:manage`
//! and sight of all. How somebody signs in: [`sessions`](crate::sessions).

mod actions;
mod handlers;
mod model;
mod owned;
mod teams;

pub(crate) use actions::store_password;
pub use model::{Sees, User};
pub use owned::{AssignIn, Owned, who_may};
pub use teams::Team;

use crate::openapi::Routes;
use crate::problem::Constraint;

crate::permissions! {
    /// Who works here and in which teams: to name the owner of a record.
    ReadUsers = "users:read",
    /// Make and change users and teams.
    ManageUsers = "users:manage",
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict("users_pkey", "duplicate", "/id", "another user has this id"),
    Constraint::conflict(
        "users_email_key",
        "duplicate",
        "/email",
        "another user has this e-mail address",
    ),
    Constraint::rule(
        "users_email_check",
        "bad_format",
        "/email",
        "not a usable e-mail address",
    ),
    Constraint::conflict("teams_pkey", "duplicate", "/id", "another team has this id"),
    Constraint::conflict("teams_name_key", "duplicate", "/name", "another team has this name"),
];

pub(crate) fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    teams::routes(routes);
}
