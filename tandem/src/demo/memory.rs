//! `demo.json`: which company a stack holds, and whether it is all there.

use super::{Company, sales};
use crate::directory::{read_json, write_json};
use crate::failure::{Failure, Result};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The company of a stack. There is only one: two would claim the same `external_ref`s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    pub name: String,
    pub namespace: Uuid,
    pub digest: Uuid,
    /// What the company is made of, in words.
    pub contents: String,
    /// What is said of days from today is said of this one.
    #[serde(default = "today")]
    pub began_on: NaiveDate,
    /// Sign-ins to try, one of each sight: what they see, and their e-mail addresses.
    #[serde(default)]
    pub sign_ins: Vec<(String, String)>,
    /// Measured while loading.
    pub round_trip: Option<RoundTrip>,
    /// Absent while loading, or after a load that was interrupted.
    pub loaded: Option<Loaded>,
}

/// How a load went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    pub at: DateTime<Utc>,
    /// Of the run that finished it.
    pub seconds: f64,
}

/// How long an order takes from being submitted in the CRM until the CRM shows it accepted,
/// one order at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoundTrip {
    pub orders: usize,
    pub median_milliseconds: f64,
}

fn today() -> NaiveDate {
    Utc::now().date_naive()
}

impl Memory {
    fn path(directory: &Path) -> PathBuf {
        directory.join("demo.json")
    }

    /// # Errors
    /// When the file is there and cannot be read.
    pub fn read(directory: &Path) -> Result<Option<Self>> {
        read_json(&Self::path(directory))
    }

    /// # Errors
    /// When the directory refuses.
    pub fn write(&self, directory: &Path) -> Result<()> {
        write_json(&Self::path(directory), self)
    }

    /// A company that is about to be loaded.
    pub fn of(company: &Company) -> Self {
        Memory {
            name: company.name.clone(),
            namespace: company.namespace,
            digest: company.digest,
            contents: company.contents(),
            began_on: today(),
            sign_ins: sales::sample(&company.people())
                .into_iter()
                .map(|person| (person.sees.to_owned(), person.email.clone()))
                .collect(),
            round_trip: None,
            loaded: None,
        }
    }

    /// Whether `company` may be loaded where this one is.
    ///
    /// # Errors
    /// When it is another, or its files have changed.
    pub fn check(&self, company: &Company, directory: &Path) -> Result<()> {
        let elsewhere = "set TANDEM_DIR to another directory";
        if self.namespace != company.namespace {
            return Err(Failure::new(format!(
                "{} holds the company {} already and can hold no other: {elsewhere} for {}",
                directory.display(),
                self.name,
                company.name
            )));
        }
        if self.digest != company.digest {
            return Err(Failure::new(format!(
                "{} was loaded into {} from files that have changed since: restore them, or {elsewhere}",
                company.name,
                directory.display()
            )));
        }
        Ok(())
    }
}
