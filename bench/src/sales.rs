//! What a sales team does all day, in a CRM that is full: each kind of request from eight clients at
//! once, half of them with a key that sees everything and half as users who see their team's.

use crate::api::Api;
use crate::failure::{Failure, Result};
use crate::postgres::Database;
use crate::prepare::Shop;
use crate::processes::Cpu;
use crate::ratios::pause_flows;
use crate::report::Report;
use crate::stack::Stack;
use futures_util::future::try_join_all;
use rand::Rng;
use rand::seq::IndexedRandom;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

const CLIENTS: usize = 8;
const P99_MILLISECONDS: f64 = 50.0;
const TEAMS: usize = 10;
const USERS_OF_A_TEAM: usize = 5;
/// So many customers and words are asked for in turn.
const SAMPLE: usize = 2_000;

#[derive(Deserialize)]
struct Record {
    id: Uuid,
}

#[derive(Deserialize)]
struct Session {
    token: String,
}

/// Whom and what is asked for.
struct Sample {
    pipeline: String,
    customers: Vec<String>,
}

/// A kind of request: its name, and a path of it, another one each time.
type Kind = (&'static str, fn(&Sample) -> String);

const KINDS: [Kind; 9] = [
    ("customers, a page of 50 from the newest", |_| {
        "/v1/customers?sort=-created_at&limit=50".to_owned()
    }),
    ("customers, text search: rare", |_| {
        format!("/v1/customers?q={}&limit=20", number())
    }),
    ("customers, text search: common", |_| {
        format!(
            "/v1/customers?q={}&limit=20",
            any(&["harbour", "alpine", "logistics", "foods"])
        )
    }),
    ("customer card", |sample| {
        format!("/v1/customers/{}/card", sample.customer())
    }),
    ("timeline of a customer", |sample| {
        format!("/v1/customers/{}/timeline?limit=50", sample.customer())
    }),
    ("pipeline board", |sample| {
        format!("/v1/pipelines/{}/board?deals=10", sample.pipeline)
    }),
    ("deals, a page of 50 by expected close", |_| {
        "/v1/deals?state=open&sort=expected_close_on&limit=50".to_owned()
    }),
    ("activities, a page of 50 that are open and due", |_| {
        "/v1/activities?state=open&sort=due&limit=50".to_owned()
    }),
    ("activities, text search", |_| match rand::rng().random_bool(0.5) {
        true => format!("/v1/activities?q={}&limit=20", number()),
        false => format!(
            "/v1/activities?q={}&limit=20",
            any(&["trade fair", "complaint", "sample"])
        )
        .replace(' ', "%20"),
    }),
];

impl Sample {
    fn customer(&self) -> &str {
        self.customers.choose(&mut rand::rng()).map_or("", String::as_str)
    }
}

/// Of five digits: one customer in the middle of a hundred thousand has it in its name.
fn number() -> String {
    rand::rng().random_range(10_000..100_000_u32).to_string()
}

fn any(words: &[&'static str]) -> &'static str {
    words.choose(&mut rand::rng()).copied().unwrap_or_default()
}

/// # Errors
/// When the CRM refuses a request.
pub async fn measure(crowd: &Crowd, stack: &Stack, seconds: u64, report: &mut Report) -> Result<()> {
    let database = &crowd.database;
    let lines = async |statement: &str| -> Result<Vec<String>> {
        let text = database.run(statement).await?;
        Ok(text.lines().map(str::to_owned).collect())
    };
    let sample = Sample {
        pipeline: lines("SELECT id FROM pipelines WHERE is_default").await?.concat(),
        // Of one team, so that both kinds of clients see them.
        customers: lines(&format!(
            "SELECT id FROM customers WHERE team_id = (SELECT team_id FROM users WHERE email = 'bench-0-0@example.com')
             ORDER BY id LIMIT {SAMPLE}"
        ))
        .await?,
    };
    println!("  {seconds} s of each with {CLIENTS} clients");
    for (what, path) in KINDS {
        let cpu = Cpu::now(stack)?;
        let mut times = ask(&crowd.callers, CLIENTS, seconds, || path(&sample)).await?;
        times.sort_unstable();
        let at = |share: f64| milliseconds(times[((times.len() - 1) as f64 * share) as usize]);
        let rate = times.len() as f64 / seconds as f64;
        println!(
            "  {what}: {rate:.0}/s, p50 {:.1} ms, p99 {:.1} ms; processors: {}",
            at(0.5),
            at(0.99),
            cpu.since(stack)?
        );
        report.at_most(&format!("{what}, p99"), at(0.99), "ms", P99_MILLISECONDS);
    }
    Ok(())
}

/// A CRM that is full.
pub struct Crowd {
    pub database: Database,
    /// With a key that sees everything, and as a user who sees a team of ten.
    pub callers: [Api; 2],
}

impl Crowd {
    /// Fills the CRM.
    ///
    /// # Errors
    /// When the CRM or its database refuses.
    pub async fn fill(shop: &Shop, stack: &Stack, sql: &Path) -> Result<Self> {
        println!("Filling the CRM: 100,000 customers, 50,000 deals, 1,000,000 activities; the flows pause");
        pause_flows(shop).await?;
        let crowd = Crowd {
            database: Database::of(&stack.cluster, "crm")?,
            callers: [shop.crm.clone(), people(&shop.crm).await?],
        };
        crowd.add(&sql.join("sales_crowd.sql")).await?;
        Ok(crowd)
    }

    /// Runs the statements of a file.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn add(&self, file: &Path) -> Result<()> {
        let started = Instant::now();
        self.database.run_file(file).await?;
        // Not part of the transaction; and the first readers should not pay for what the writers left.
        self.database.run("VACUUM ANALYZE").await?;
        println!("  done in {:.0} s", started.elapsed().as_secs_f64());
        Ok(())
    }
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// How long each request took; `path` is asked for anew each time.
///
/// # Errors
/// When the CRM refuses a request.
pub async fn ask(
    callers: &[Api; 2],
    clients: usize,
    seconds: u64,
    path: impl Fn() -> String + Sync,
) -> Result<Vec<Duration>> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let client = async |caller: &Api| -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        while Instant::now() < end {
            let started = Instant::now();
            caller.get::<IgnoredAny>(&path()).await?;
            times.push(started.elapsed());
        }
        Ok(times)
    };
    let running = (0..clients).map(|n| client(&callers[n % callers.len()]));
    let all = try_join_all(running).await?.concat();
    match all.is_empty() {
        true => Err(Failure::new("nothing was answered in time")),
        false => Ok(all),
    }
}

/// Makes teams and users, and signs one of them in.
async fn people(crm: &Api) -> Result<Api> {
    let mut first = None;
    for team in 0..TEAMS {
        let made: Record = crm
            .post("/v1/teams", &json!({ "name": format!("Bench {team}") }))
            .await?;
        for user in 0..USERS_OF_A_TEAM {
            let body = json!({
                "email": format!("bench-{team}-{user}@example.com"), "name": format!("User {user} of team {team}"),
                "role": "sales", "sees": "team", "team_id": made.id,
            });
            let made: Record = crm.post("/v1/users", &body).await?;
            first.get_or_insert(made.id);
        }
    }
    let password = format!("bench {}", Uuid::new_v4());
    if let Some(user) = first {
        let body = json!({ "password": password });
        crm.post::<IgnoredAny>(&format!("/v1/users/{user}/password"), &body)
            .await?;
    }
    let body = json!({ "email": "bench-0-0@example.com", "password": password });
    let session: Session = crm.post("/v1/sessions", &body).await?;
    Ok(crm.with_key(&session.token))
}
