//! `tandem up`: PostgreSQL, the three services and a demo company, with one command; until Ctrl-C.
//!
//! Each service is a process of its own: this program again, as `tandem serve erp`. One that dies
//! is started again (`keeper`), and so is PostgreSQL (`database`). On SIGINT, SIGTERM or
//! SIGHUP everything stops in order: the sync, the CRM and the ERP, PostgreSQL. Should this process be
//! killed, the services end by themselves, and PostgreSQL is adopted at the next start.
//!
//! What was started is stopped again however the rest fails.

mod child;
mod database;
mod keeper;
mod ports;
mod settings;
mod summary;

use crate::demo::Company;
use crate::demo::load::{is_there, load};
use crate::demo::memory::Memory;
use crate::directory::{Directory, make};
use crate::failure::{Context, Failure, Result};
use crate::keys::Keys;
use crate::part::Part;
use crate::progress::Progress;
use crate::stack::Stack;
use child::Recipe;
use chrono::Utc;
use chrono_tz::Tz;
use database::{Database, Urls};
use keeper::Keeper;
use ports::Held;
use settings::Settings;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use summary::Demo;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long the services of an earlier run, which was killed, may take to go.
const LEFTOVERS: Duration = Duration::from_secs(10);

/// Which company to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// No business record at all.
    Nothing,
    /// The project's own, unless the stack holds a company already.
    Shipped,
    /// The one in a folder.
    Folder(PathBuf),
}

/// Starts everything, loads the demo, and runs until a signal.
///
/// # Errors
/// When something does not start or the demo cannot be loaded; nothing is left running then.
pub async fn up(wanted: Wanted) -> Result<()> {
    let settings = Settings::from_env()?;
    settings.check()?;
    // Faults of the files are told before anything is started.
    let company = read_company(&wanted)?;
    let directory = Directory::lock(&settings.directory)?;
    let company = company_to_load(&wanted, company, &directory)?;
    let mut signals = Signals::listen()?;
    let progress = Progress::default();
    let mut started = Started::default();
    let outcome = tokio::select! {
        outcome = started.run(&settings, &directory, company.as_ref(), &progress) => outcome,
        () = signals.received() => {
            progress.say("Stopping");
            Ok(())
        }
    };
    let stopped = started.stop().await;
    outcome.and(stopped)
}

fn read_company(wanted: &Wanted) -> Result<Option<Company>> {
    let zone = service_kit::config::parsed("TANDEM_TIME_ZONE", "an IANA time zone such as Europe/Berlin", Tz::UTC);
    let zone = zone.context(|| "a setting is not usable".to_owned())?;
    let company = match wanted {
        Wanted::Nothing => return Ok(None),
        Wanted::Shipped => Company::shipped()?,
        Wanted::Folder(folder) => Company::read(folder)?,
    };
    let today = Utc::now().with_timezone(&zone).date_naive();
    company
        .check_against(today)
        .context(|| format!("{} cannot be loaded", company.name))?;
    Ok(Some(company))
}

/// The company, unless the stack holds another and nobody asked for this one by name.
fn company_to_load(wanted: &Wanted, company: Option<Company>, directory: &Directory) -> Result<Option<Company>> {
    let (Some(company), Some(memory)) = (&company, Memory::read(directory.path())?) else {
        return Ok(company);
    };
    match memory.check(company, directory.path()) {
        Err(_) if *wanted == Wanted::Shipped && memory.loaded.is_some() => Ok(None),
        Err(failure) => Err(failure),
        Ok(()) => Ok(Some(company.clone())),
    }
}

/// What is running, so that it can be stopped.
#[derive(Default)]
struct Started {
    database: Option<Database>,
    keeper: Option<Keeper>,
}

impl Started {
    /// Starts everything, loads the demo, says so; and never returns unless something fails.
    async fn run(
        &mut self,
        settings: &Settings,
        directory: &Directory,
        company: Option<&Company>,
        progress: &Progress,
    ) -> Result<()> {
        let stack = self.start(settings, directory, progress).await?;
        let demo = demo(directory, &stack, company, progress).await?;
        let password = Keys::of(directory.path())?.demo_password;
        let summary = summary::text(&stack, directory, self.database.is_some(), &demo, &password);
        // Whoever started us may not listen any more.
        let _ = std::io::stdout().write_all(summary.as_bytes());
        std::future::pending().await
    }

    async fn start(&mut self, settings: &Settings, directory: &Directory, progress: &Progress) -> Result<Stack> {
        let held = hold_addresses(settings, directory).await?;
        make(&directory.logs(), 0o700)?;
        let keys = Keys::of(directory.path())?;
        let parts = settings.without_database();
        let mut urls = Urls::new();
        if !parts.is_empty() {
            let step = progress.step("PostgreSQL", 0);
            let database = Database::begin(&directory.postgres(), parts, progress)?;
            urls = self.database.insert(database).urls().await?;
            step.done();
        }
        let step = progress.step("ERP, CRM and sync", 0);
        let recipes = recipes(settings, directory, &keys, &urls, &held);
        let keeper = self
            .keeper
            .insert(Keeper::new(directory.path().to_owned(), keys, progress.clone()));
        drop(held);
        for recipe in recipes {
            keeper.keep(recipe)?;
        }
        let stack = keeper.ready().await?;
        step.done();
        Ok(stack)
    }

    async fn stop(self) -> Result<()> {
        if let Some(keeper) = self.keeper {
            keeper.stop().await;
        }
        match self.database {
            Some(database) => database.stop().await,
            None => Ok(()),
        }
    }
}

/// Takes all addresses, or says which one is not to be had, before anything is started.
async fn hold_addresses(settings: &Settings, directory: &Directory) -> Result<Vec<Held>> {
    let path = directory.path();
    let was_killed = Stack::path(path).exists();
    let patience = if was_killed { LEFTOVERS } else { Duration::ZERO };
    let mut held = Vec::new();
    for part in Part::ALL {
        let bind = settings.bind(part);
        let taken = held.iter().find(|other: &&Held| other.bind == bind);
        if let Some(other) = taken {
            let (one, two) = (other.part.variable("BIND"), part.variable("BIND"));
            return Err(Failure::new(format!(
                "{one} and {two} are both {bind}: change one of them"
            )));
        }
        held.push(ports::hold(part, bind, patience).await?);
    }
    Stack::remove(path)?;
    Ok(held)
}

fn recipes(settings: &Settings, directory: &Directory, keys: &Keys, private: &Urls, held: &[Held]) -> Vec<Recipe> {
    let url = |part: Part| {
        held.iter()
            .find(|held| held.part == part)
            .map(|held| ports::url(held.bind))
    };
    let recipe = |held: &Held| {
        let part = held.part;
        let private = private.iter().find(|(of, _)| *of == part).map(|(_, url)| url.as_str());
        let database_url = settings.database_url(part).or(private).unwrap_or_default();
        let mut environment = vec![
            (part.variable("DATABASE_URL"), database_url.to_owned()),
            (part.variable("BOOTSTRAP_KEY"), keys.admin(part).to_owned()),
        ];
        match part {
            Part::Erp => environment.push((part.variable("INTEGRATION_KEY"), keys.erp.integration.clone())),
            Part::Crm => environment.push((part.variable("INTEGRATION_KEY"), keys.crm.integration.clone())),
            Part::Sync => {
                for (other, key) in [(Part::Erp, &keys.erp.integration), (Part::Crm, &keys.crm.integration)] {
                    environment.push((other.variable("URL"), url(other).unwrap_or_default()));
                    environment.push((other.variable("API_KEY"), key.clone()));
                }
            }
        }
        Recipe {
            part,
            bind: held.bind,
            environment,
            log: directory.logs().join(format!("{}.log", part.name())),
        }
    };
    held.iter().map(recipe).collect()
}

/// Loads the company, unless it was loaded before.
async fn demo(directory: &Directory, stack: &Stack, company: Option<&Company>, progress: &Progress) -> Result<Demo> {
    let memory = Memory::read(directory.path())?.filter(|memory| memory.loaded.is_some());
    match (company, memory) {
        (None, None) => Ok(Demo::None),
        (None, Some(memory)) => Ok(Demo::LoadedBefore(memory)),
        // The databases may be others than then.
        (Some(company), Some(memory)) if is_there(stack, company).await? => Ok(Demo::LoadedBefore(memory)),
        (Some(company), _) => {
            let memory = load(directory.path(), stack, company, progress).await?;
            Ok(Demo::LoadedNow(memory))
        }
    }
}

/// SIGINT (Ctrl-C), SIGTERM, and SIGHUP of a terminal that is closed.
struct Signals([Signal; 3]);

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context(|| "cannot listen for signals".to_owned());
        Ok(Signals([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    async fn received(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
