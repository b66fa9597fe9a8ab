//! `stack.json`: how to reach a running stack. It is there while all three services are up.

use crate::directory::{read_json, write_json};
use crate::failure::{Context, Failure, Result};
use crate::part::Part;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// A running stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    pub erp: Running,
    pub crm: Running,
    pub sync: Running,
}

/// A running service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Without a slash at the end.
    pub url: String,
    /// Of the role admin.
    pub api_key: String,
    pub pid: u32,
}

impl Stack {
    /// Where it stands in a stack's directory.
    pub fn path(directory: &Path) -> PathBuf {
        directory.join("stack.json")
    }

    /// The stack that runs in `directory`.
    ///
    /// # Errors
    /// When none does.
    pub fn read(directory: &Path) -> Result<Self> {
        read_json(&Self::path(directory))?.ok_or_else(|| {
            Failure::new(format!(
                "nothing runs in {}: start it with tandem up",
                directory.display()
            ))
        })
    }

    /// Writes it at once, for us alone to read.
    ///
    /// # Errors
    /// When the directory refuses.
    pub fn write(&self, directory: &Path) -> Result<()> {
        write_json(&Self::path(directory), self)
    }

    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(directory: &Path) -> Result<()> {
        let path = Self::path(directory);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.context(|| format!("cannot remove {}", path.display())),
        }
    }

    pub fn of(&self, part: Part) -> &Running {
        match part {
            Part::Erp => &self.erp,
            Part::Crm => &self.crm,
            Part::Sync => &self.sync,
        }
    }
}
