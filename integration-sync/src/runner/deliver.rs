//! What one request comes to.
//!
//! | answer | outcome |
//! |---|---|
//! | 2xx | applied |
//! | nobody listens; 401, 403 (our key), 429 | the target as a whole is down: the flow waits |
//! | 5xx, 408, no answer in time | the target is asked for its health: down, or busy with this record |
//! | 409 `reference_missing` | what is missing is brought from its owner, and the request repeated |
//! | any other | refused |

use super::apply::Unit;
use crate::dead_letters::Refusal;
use crate::flows::{Bulk, Flow, Request};
use crate::http::{Apis, NoAnswer, Reply, System};
use actix_web::web::Bytes;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use std::collections::HashMap;
use uuid::Uuid;

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// With the answer's body.
    Applied(Bytes),
    /// The target as a whole does not work.
    Down(String),
    /// The target works, but not for this record now.
    Busy(String),
    Refused(Refusal),
}

/// Brings requests to the two systems.
#[derive(Debug, Clone)]
pub struct Courier {
    pub apis: Apis,
}

/// A record that the target lacks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Missing {
    r#type: String,
    id: Uuid,
}

/// How often a request is repeated because something was missing, and how deep that may go (a
/// price lacks its product, the product its category).
const ROUNDS: usize = 4;
const DEPTH: usize = 4;

/// Characters of an answer that are kept.
const KEPT: usize = 16_000;

impl Courier {
    /// Sends a request, and first what it turns out to refer to.
    pub async fn deliver(&self, target: System, request: &Request) -> Outcome {
        self.deliver_at(target, request, 0).await
    }

    fn deliver_at<'a>(&'a self, target: System, request: &'a Request, depth: usize) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let mut brought = Vec::new();
            for _ in 0..ROUNDS {
                let (reply, missing) = match self.send(target, request).await {
                    Sent::Missing(reply, missing) => (reply, missing),
                    Sent::Settled(outcome) => return outcome,
                };
                for record in &missing {
                    if depth >= DEPTH || brought.contains(record) {
                        return refused(&reply, format!("the {} {} is still missing", record.r#type, record.id));
                    }
                    match self.bring(target, record, depth).await {
                        Brought::Yes => brought.push(record.clone()),
                        Brought::No(reason) => return refused(&reply, reason),
                        Brought::Later(outcome) => return outcome,
                    }
                }
            }
            Outcome::Busy("it refers to more and more that is missing".to_owned())
        })
    }

    async fn send(&self, target: System, request: &Request) -> Sent {
        let reply = match self.apis.of(target).put(request).await {
            Ok(reply) => reply,
            Err(NoAnswer {
                unreachable: true,
                text,
            }) => return Sent::Settled(Outcome::Down(text)),
            Err(NoAnswer { text, .. }) => return Sent::Settled(self.down_or_busy(target, text).await),
        };
        let settled = match reply.status {
            200..=299 => Outcome::Applied(reply.body),
            401 | 403 | 429 => Outcome::Down(describe(target, &reply)),
            408 | 500.. => self.down_or_busy(target, describe(target, &reply)).await,
            409 => match missing(&reply) {
                Some(missing) => return Sent::Missing(reply, missing),
                None => refused(&reply, describe(target, &reply)),
            },
            _ => refused(&reply, describe(target, &reply)),
        };
        Sent::Settled(settled)
    }

    async fn down_or_busy(&self, target: System, error: String) -> Outcome {
        match self.apis.of(target).is_healthy().await {
            true => Outcome::Busy(error),
            false => Outcome::Down(error),
        }
    }

    /// Pushes the current state of a missing record, through the flow that it belongs to.
    async fn bring(&self, target: System, missing: &Missing, depth: usize) -> Brought {
        let what = format!("the {} {}", missing.r#type, missing.id);
        let Some((flow, path)) = Flow::bringing(&missing.r#type, target)
            .and_then(|(flow, record)| Some((flow, format!("{}/{}", record.one?, missing.id))))
        else {
            return Brought::No(format!("{what} is missing, and nobody else owns such records"));
        };
        let owner = flow.source;
        let reply = match self.apis.of(owner).get(&path).await {
            Ok(reply) if reply.status == 200 => reply,
            Ok(reply) if reply.status == 404 => {
                return Brought::No(format!("{what} is missing, and {owner} does not have it either"));
            }
            Ok(reply) => return Brought::Later(Outcome::Busy(format!("{what}: {}", describe(owner, &reply)))),
            Err(error) => {
                return Brought::Later(Outcome::Busy(format!("{what}: {owner} did not answer: {}", error.text)));
            }
        };
        let request = serde_json::from_slice(&reply.body).and_then(|data| {
            let record = flow
                .record(&missing.r#type)
                .map(|record| record.current(data, false))
                .transpose()?;
            record.map(|change| (flow.request)(&change)).transpose()
        });
        match request {
            Ok(Some(Some(item))) => match self.deliver_at(target, &flow.alone(&item, false), depth + 1).await {
                Outcome::Applied(_) => Brought::Yes,
                Outcome::Refused(refusal) => Brought::No(format!("{what} cannot be applied: {}", refusal.reason)),
                other => Brought::Later(other),
            },
            Ok(_) => Brought::No(format!("{what} is missing, and {owner} keeps it to itself")),
            Err(error) => Brought::No(format!("{what} is not understood: {error}")),
        }
    }

    /// Delivers what goes out as one request, and says what became of each part.
    pub(super) async fn deliver_parcel(&self, flow: &'static Flow, units: Vec<Unit>) -> Vec<(Unit, Outcome)> {
        match &flow.bulk {
            Some(bulk) => self.deliver_bulk(flow, bulk, units).await,
            None => {
                let mut outcomes = Vec::with_capacity(units.len());
                for unit in units {
                    let outcome = self.deliver(flow.target, &unit.request).await;
                    outcomes.push((unit, outcome));
                }
                outcomes
            }
        }
    }

    fn deliver_bulk<'a>(
        &'a self,
        flow: &'static Flow,
        bulk: &'static Bulk,
        mut units: Vec<Unit>,
    ) -> BoxFuture<'a, Vec<(Unit, Outcome)>> {
        Box::pin(async move {
            let items: Vec<&str> = units.iter().map(|unit| unit.request.body.as_str()).collect();
            let request = (bulk.request)(&items, units.iter().any(|unit| unit.replace));
            match self.deliver(flow.target, &request).await {
                Outcome::Applied(answer) => item_by_item(bulk, units, &answer),
                Outcome::Down(error) => units
                    .into_iter()
                    .map(|unit| (unit, Outcome::Down(error.clone())))
                    .collect(),
                // One bad item spoils the request: halves find it.
                Outcome::Busy(_) | Outcome::Refused(_) if units.len() > 1 => {
                    let rest = units.split_off(units.len() / 2);
                    let mut outcomes = self.deliver_bulk(flow, bulk, units).await;
                    outcomes.extend(self.deliver_bulk(flow, bulk, rest).await);
                    outcomes
                }
                outcome => units.pop().map(|unit| (unit, outcome)).into_iter().collect(),
            }
        })
    }
}

fn item_by_item(bulk: &Bulk, units: Vec<Unit>, answer: &Bytes) -> Vec<(Unit, Outcome)> {
    let ids: Vec<Uuid> = units.iter().map(|unit| unit.subject).collect();
    let mut reasons: HashMap<Uuid, String> = (bulk.refused)(&ids, answer).into_iter().collect();
    let outcome = |unit: Unit| {
        let outcome = match reasons.remove(&unit.subject) {
            None => Outcome::Applied(Bytes::new()),
            Some(reason) => Outcome::Refused(Refusal {
                status: Some(200),
                answer: Some(text(answer)),
                reason,
            }),
        };
        (unit, outcome)
    };
    units.into_iter().map(outcome).collect()
}

enum Sent {
    Settled(Outcome),
    Missing(Reply, Vec<Missing>),
}

enum Brought {
    Yes,
    No(String),
    Later(Outcome),
}

/// What is looked at of a problem.
#[derive(Deserialize)]
struct ProblemBody {
    code: String,
    detail: String,
    #[serde(default)]
    missing: Vec<Missing>,
}

fn missing(reply: &Reply) -> Option<Vec<Missing>> {
    let problem: ProblemBody = serde_json::from_slice(&reply.body).ok()?;
    (problem.code == "reference_missing" && !problem.missing.is_empty()).then_some(problem.missing)
}

/// An answer in a line.
pub(super) fn describe(system: System, reply: &Reply) -> String {
    match serde_json::from_slice::<ProblemBody>(&reply.body) {
        Ok(problem) => format!(
            "{system} answered {} {}: {}",
            reply.status, problem.code, problem.detail
        ),
        Err(_) => format!("{system} answered {}", reply.status),
    }
}

fn refused(reply: &Reply, reason: String) -> Outcome {
    Outcome::Refused(Refusal {
        status: Some(reply.status),
        answer: Some(text(&reply.body)),
        reason,
    })
}

fn text(body: &[u8]) -> String {
    // PostgreSQL text cannot hold U+0000.
    String::from_utf8_lossy(body)
        .chars()
        .filter(|c| *c != '\0')
        .take(KEPT)
        .collect()
}
