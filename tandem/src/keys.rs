//! The API keys of a stack: made at its first start, the same ever after.

use crate::directory::{read_json, write_json};
use crate::failure::Result;
use crate::part::Part;
use serde::{Deserialize, Serialize};
use service_kit::auth::new_key;
use std::path::Path;

/// `keys.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    pub erp: ServiceKeys,
    pub crm: ServiceKeys,
    pub sync: SyncKeys,
    /// What the demo company's users sign in to the CRM with; empty in files of before there were any.
    #[serde(default)]
    pub demo_password: String,
}

/// The keys of the ERP or the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceKeys {
    pub admin: String,
    /// What the sync shows to it.
    pub integration: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncKeys {
    pub admin: String,
}

impl Keys {
    /// The keys of the stack in `directory`, made if there are none yet.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn of(directory: &Path) -> Result<Self> {
        let path = directory.join("keys.json");
        if let Some(mut keys) = read_json::<Keys>(&path)? {
            if keys.demo_password.is_empty() {
                keys.demo_password = new_key();
                write_json(&path, &keys)?;
            }
            return Ok(keys);
        }
        let keys = Keys {
            erp: ServiceKeys::fresh(),
            crm: ServiceKeys::fresh(),
            sync: SyncKeys { admin: new_key() },
            demo_password: new_key(),
        };
        write_json(&path, &keys)?;
        Ok(keys)
    }

    pub fn admin(&self, part: Part) -> &str {
        match part {
            Part::Erp => &self.erp.admin,
            Part::Crm => &self.crm.admin,
            Part::Sync => &self.sync.admin,
        }
    }
}

impl ServiceKeys {
    fn fresh() -> Self {
        ServiceKeys {
            admin: new_key(),
            integration: new_key(),
        }
    }
}
