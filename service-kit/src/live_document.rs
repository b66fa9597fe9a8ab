//! The OpenAPI document of a running instance: that of the routes, and what the database adds to it
//! ([`Service::describe`](crate::Service::describe)), such as fields that a company has defined for itself.
//!
//! It is read again when somebody asks and a second has passed. Lists as CSV take their columns from it.

use crate::exchange::Tables;
use crate::problem::Problem;
use crate::server::Kit;
use diesel::{PgConnection, QueryResult};
use serde_json::Value;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Adds to a document what the database knows.
pub type Describe = fn(&mut PgConnection, &mut Value) -> QueryResult<()>;

/// The document as text, and the tables in it.
pub(crate) struct Described {
    pub text: String,
    pub tables: Tables,
}

pub(crate) struct LiveDocument {
    of_routes: Arc<Value>,
    describe: Option<Describe>,
    latest: RwLock<(Instant, Arc<Described>)>,
}

impl LiveDocument {
    const FRESH: Duration = Duration::from_secs(1);

    pub(crate) fn new(of_routes: Arc<Value>, describe: Option<Describe>) -> Self {
        let described = Described::of(&of_routes);
        let long_ago = Instant::now().checked_sub(Self::FRESH).unwrap_or_else(Instant::now);
        LiveDocument {
            of_routes,
            describe,
            latest: RwLock::new((long_ago, Arc::new(described))),
        }
    }

    /// The columns and pages of lists do not change; these are for what needs no more than that.
    pub(crate) fn latest(&self) -> Arc<Described> {
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        latest.1.clone()
    }

    /// As the database has it now, or a second ago.
    pub(crate) async fn current(&self, kit: &Kit) -> Result<Arc<Described>, Problem> {
        let (since, latest) = {
            let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
            (latest.0, latest.1.clone())
        };
        let Some(describe) = self.describe.filter(|_| since.elapsed() >= Self::FRESH) else {
            return Ok(latest);
        };
        let (asked, of_routes) = (Instant::now(), self.of_routes.clone());
        let described = kit
            .run_read(move |conn| {
                let mut document = (*of_routes).clone();
                describe(conn, &mut document)?;
                Ok(Arc::new(Described::of(&document)))
            })
            .await?;
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        if latest.0 < asked {
            *latest = (asked, described.clone());
        }
        Ok(described)
    }
}

impl Described {
    fn of(document: &Value) -> Self {
        Described {
            text: document.to_string(),
            tables: Tables::of_document(document),
        }
    }
}
