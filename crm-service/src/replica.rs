//! What a told version of a record means for the stored one: the same rule for every replica.

use chrono::{DateTime, SubsecRound, Utc};
use service_kit::Resource;

/// A record that the ERP owns, as it is kept here.
pub trait Replica: Resource + Clone + PartialEq {
    fn source_version(&self) -> i64;

    /// Takes over what this side counts and stamps.
    fn counted(self, revision: i64, created_at: DateTime<Utc>, updated_at: DateTime<Utc>) -> Self;

    /// When this side first knew it and when it last changed here.
    fn stamps(&self) -> (DateTime<Utc>, DateTime<Utc>);
}

/// What to do with a told record.
pub enum Decision<R> {
    Insert(R),
    Update { before: R, after: R },
    Leave(R),
}

/// Newer applies; equal or older leaves what is stored; `replace` applies whatever is different.
pub fn decide<R: Replica>(stored: Option<R>, told: R, replace: bool, now: DateTime<Utc>) -> Decision<R> {
    let Some(before) = stored else {
        return Decision::Insert(told.counted(1, now, now));
    };
    if !supersedes(told.source_version(), before.source_version(), replace) {
        return Decision::Leave(before);
    }
    let (created_at, updated_at) = before.stamps();
    if told.clone().counted(before.revision(), created_at, updated_at) == before {
        return Decision::Leave(before);
    }
    let after = told.counted(before.revision() + 1, created_at, now);
    Decision::Update { before, after }
}

/// Whether a told version replaces the stored one.
pub fn supersedes(told: i64, stored: i64, replace: bool) -> bool {
    replace || told > stored
}

/// PostgreSQL keeps microseconds; what is compared must be what is stored.
pub fn storable(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant.trunc_subsecs(6)
}

/// Gives a record what [`Resource`] and [`Replica`] ask for.
macro_rules! replica {
    ($name:ident, path: $path:literal, type: $type:literal) => {
        $crate::replica::replica!($name, id: id, path: $path, type: $type);
    };
    ($name:ident, id: $($id:ident).+, path: $path:literal, type: $type:literal) => {
        impl ::service_kit::Resource for $name {
            const PATH: &'static str = $path;
            const TYPE: &'static str = $type;
            fn id(&self) -> ::uuid::Uuid {
                self.$($id).+
            }
            fn revision(&self) -> i64 {
                self.revision
            }
        }

        impl $crate::replica::Replica for $name {
            fn source_version(&self) -> i64 {
                self.source_version
            }
            fn counted(
                self,
                revision: i64,
                created_at: ::chrono::DateTime<::chrono::Utc>,
                updated_at: ::chrono::DateTime<::chrono::Utc>,
            ) -> Self {
                $name {
                    revision,
                    created_at,
                    updated_at,
                    ..self
                }
            }
            fn stamps(
                &self,
            ) -> (
                ::chrono::DateTime<::chrono::Utc>,
                ::chrono::DateTime<::chrono::Utc>,
            ) {
                (self.created_at, self.updated_at)
            }
        }
    };
}

/// Stores a told record in its table and leaves the audit row; no event.
macro_rules! apply_replica {
    ($tx:expr, $table:ident, $told:expr, replace: $replace:expr) => {{
        use ::diesel::prelude::*;
        use $crate::replica::{Decision, decide};
        let (tx, told): (&mut ::service_kit::Tx<'_>, _) = ($tx, $told);
        let stored = $table::table.find(told.id).for_update().first(&mut **tx).optional()?;
        match decide(stored, told, $replace, tx.now()) {
            Decision::Leave(stored) => Ok(::service_kit::Put::Unchanged(stored)),
            Decision::Insert(new) => {
                let made = ::diesel::insert_into($table::table)
                    .values(&new)
                    .on_conflict_do_nothing()
                    .execute(&mut **tx)?;
                if made == 0 {
                    // Another request told it in the meantime: look again.
                    return Err(::service_kit::Error::Stale);
                }
                tx.audit(None, &new)?;
                Ok(::service_kit::Put::Created(new))
            }
            Decision::Update { before, after } => {
                ::diesel::update($table::table.find(after.id))
                    .set(&after)
                    .execute(&mut **tx)?;
                tx.audit(Some(&before), &after)?;
                Ok(::service_kit::Put::Updated(after))
            }
        }
    }};
}

pub(crate) use {apply_replica, replica};
