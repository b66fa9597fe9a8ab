//! The stack that is measured: where its services are, and its PostgreSQL.

use crate::failure::{Context, Failure, Result};
use private_postgres::Cluster;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A service that runs.
#[derive(Debug, Clone, Deserialize)]
pub struct Service {
    pub url: String,
    /// Of the role admin.
    pub api_key: String,
    pub pid: u32,
}

#[derive(Deserialize)]
struct StackFile {
    erp: Service,
    crm: Service,
    sync: Service,
}

pub struct Stack {
    pub directory: PathBuf,
    pub erp: Service,
    pub crm: Service,
    pub sync: Service,
    pub cluster: Cluster,
}

impl Stack {
    /// # Errors
    /// When nothing runs there, or not on a PostgreSQL of its own.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join("stack.json");
        let text = std::fs::read(&path).context(|| format!("nothing runs in {}", directory.display()))?;
        let StackFile { erp, crm, sync } =
            serde_json::from_slice(&text).context(|| format!("{} is not understood", path.display()))?;
        let cluster =
            Cluster::find(directory.join("postgres")).context(|| "no PostgreSQL to compare with".to_owned())?;
        let cluster = cluster.ok_or_else(|| {
            Failure::new("the stack has no PostgreSQL of its own: start it without *_DATABASE_URL to measure it")
        })?;
        Ok(Stack {
            directory: directory.to_owned(),
            erp,
            crm,
            sync,
            cluster,
        })
    }

    /// The services by the names that they have in commands, in databases and in `stack.json`.
    pub fn services(&self) -> [(&'static str, &Service); 3] {
        [("erp", &self.erp), ("crm", &self.crm), ("sync", &self.sync)]
    }
}
