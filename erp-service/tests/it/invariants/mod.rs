//! Invariants over random sequences of commands, each compared with a naive model in memory.
//!
//! After each command: the service's answer is the model's; accounts, stock, open items, advances, orders, their lines
//! and the exposure are the model's; and the invariants hold (`driver/broken.sql`, of what the sequence did). When a
//! database is left, they hold for all that is in it (`../../invariants/all.sql`).
//!
//! - `TANDEM_SEQUENCES`: how many sequences of 60 commands; 1,000 for the full run.
//! - `TANDEM_SEED`: where the seeds begin. A failure prints its seed; with `TANDEM_SEQUENCES=1` it runs alone.

mod commands;
mod driver;
mod model;

use commands::{Command, Dice, STEPS};
use driver::{Driver, State};
use model::{Bug, Model};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Sequences without the variable.
const USUAL: u64 = 30;
/// Services at work at the same time, each with a database of its own.
const SERVICES: usize = 3;
/// Sequences in one database: each closes its months, and a close revalues all that is open, so more would get slower.
const EACH: usize = 8;

/// A sequence as it went: for each command, the outcome and what came of it.
struct Recorded {
    begin: Model,
    steps: Vec<(Command, Result<(), String>, State)>,
}

/// How often a kind of command had an outcome.
type Counts = BTreeMap<(&'static str, String), usize>;

fn number_of(variable: &str, usual: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

/// Runs one sequence against the service and the model.
///
/// # Errors
/// What differs, with the commands before it.
async fn sequence(driver: &mut Driver, seed: u64, counts: &mut Counts) -> Result<Recorded, String> {
    let mut dice = Dice::new(seed);
    let (world, mut model) = driver.world().await;
    let mut recorded = Recorded {
        begin: model.clone(),
        steps: Vec::with_capacity(STEPS),
    };
    for step in 0..STEPS {
        let command = world.draw(&mut dice, &model, step);
        let kind = command.kind(&model);
        let outcome = driver.run(&command, &model).await;
        let expected = command.apply(&mut model).map_err(str::to_owned);
        let state = driver.state(&world, &model).await;
        let mut wrong = state.differences(&State::of(&model));
        if outcome != expected {
            wrong.insert(0, format!("the service answers {outcome:?}, the model {expected:?}"));
        }
        wrong.extend(driver.broken(&world));
        if !wrong.is_empty() {
            let about = wrong.join("\n  ");
            let before: Vec<String> = recorded
                .steps
                .iter()
                .map(|(command, ..)| format!("{command:?}"))
                .collect();
            let before = before.join("\n    ");
            return Err(format!(
                "seed {seed}, step {step}, {kind}:\n  {about}\n  after {command:?}\n  before it\n    {before}"
            ));
        }
        let shown = outcome.clone().err().unwrap_or_else(|| "done".to_owned());
        *counts.entry((kind, shown)).or_default() += 1;
        recorded.steps.push((command, outcome, state));
    }
    Ok(recorded)
}

/// The first step at which a model with a bug differs from what the service did.
fn found_at(recorded: &Recorded, bug: Bug) -> Option<usize> {
    let mut model = recorded.begin.clone();
    model.bug = Some(bug);
    recorded.steps.iter().position(|(command, outcome, state)| {
        let expected = command.apply(&mut model).map_err(str::to_owned);
        *outcome != expected || !state.differences(&State::of(&model)).is_empty()
    })
}

fn print(counts: &Counts) -> (usize, usize, BTreeMap<&'static str, usize>) {
    let (mut done, mut all, mut kinds) = (0, 0, BTreeMap::new());
    for ((kind, outcome), count) in counts {
        println!("{count:>7}  {kind}: {outcome}");
        all += count;
        *kinds.entry(*kind).or_default() += count;
        if outcome == "done" {
            done += count;
        }
    }
    (done, all, kinds)
}

#[test]
fn whatever_is_done_the_service_does_as_the_model() {
    let (wanted, first) = (number_of("TANDEM_SEQUENCES", USUAL), number_of("TANDEM_SEED", 1));
    let started = Instant::now();
    let next = Arc::new(AtomicU64::new(first));
    let found: Arc<Mutex<BTreeMap<Bug, (u64, usize)>>> = Arc::default();
    let workers: Vec<_> = (0..SERVICES)
        .map(|_| {
            let (next, found) = (Arc::clone(&next), Arc::clone(&found));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let mut driver = Driver::start().await;
                    let (mut counts, mut failures) = (Counts::new(), Vec::new());
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        let last = seed >= first + wanted || failures.len() >= 3;
                        if last || driver.sequences == EACH {
                            let broken = driver.all_broken();
                            if !broken.is_empty() {
                                failures.push(format!("before seed {seed}: {}", broken.join("\n  ")));
                            }
                        }
                        if last {
                            return (counts, failures);
                        }
                        if (seed - first) % 100 == 99 {
                            println!(
                                "{} begun after {:.0} s",
                                seed - first + 1,
                                started.elapsed().as_secs_f64()
                            );
                        }
                        if driver.sequences == EACH {
                            driver = Driver::start().await;
                        }
                        match sequence(&mut driver, seed, &mut counts).await {
                            Err(failure) => failures.push(failure),
                            Ok(recorded) => {
                                for bug in Bug::ALL {
                                    let known = found.lock().unwrap().contains_key(&bug);
                                    let step = if known { None } else { found_at(&recorded, bug) };
                                    if let Some(step) = step {
                                        found.lock().unwrap().insert(bug, (seed, step));
                                    }
                                }
                            }
                        }
                    }
                })
            })
        })
        .collect();
    let (mut counts, mut failures) = (Counts::new(), Vec::new());
    for worker in workers {
        let (some, failed) = worker.join().unwrap();
        for (key, count) in some {
            *counts.entry(key).or_default() += count;
        }
        failures.extend(failed);
    }
    let (done, all, kinds) = print(&counts);
    println!(
        "{done} of {all} commands succeeded; {kinds:?}; {:.1} s",
        started.elapsed().as_secs_f64()
    );
    for (bug, (seed, step)) in found.lock().unwrap().iter() {
        println!("{bug:?} is found by seed {seed} at step {step}");
    }
    assert!(
        failures.is_empty(),
        "{} sequences failed\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    assert!(done * 10 >= all * 7, "too few of the commands succeed");
    let missed: Vec<Bug> = Bug::ALL
        .into_iter()
        .filter(|bug| !found.lock().unwrap().contains_key(bug))
        .collect();
    assert!(
        wanted < USUAL || missed.len() + 10 <= Bug::ALL.len(),
        "nobody finds {missed:?}"
    );
    assert!(wanted < 200 || missed.is_empty(), "nobody finds {missed:?}");
    if wanted >= 1_000 {
        assert!(kinds.values().all(|count| *count >= 500), "{kinds:?}");
    }
}
