//! What the environment says to `tandem up`.

use crate::directory;
use crate::failure::{Context, Failure, Result};
use crate::part::Part;
use service_kit::config::{parsed, var};
use std::net::SocketAddr;
use std::path::PathBuf;

/// `TANDEM_DIR`, `<PART>_BIND` and `<PART>_DATABASE_URL`.
#[derive(Debug, Clone)]
pub struct Settings {
    pub directory: PathBuf,
    binds: [SocketAddr; 3],
    database_urls: [Option<String>; 3],
}

impl Settings {
    /// # Errors
    /// Names the variable that is not understood.
    pub fn from_env() -> Result<Self> {
        let [erp, crm, sync] = Part::ALL.map(|part| {
            let name = part.variable("BIND");
            parsed(&name, "an address and port such as 127.0.0.1:8081", part.default_bind())
        });
        let refused = || "a setting is not usable".to_owned();
        let binds = [erp.context(refused)?, crm.context(refused)?, sync.context(refused)?];
        Ok(Settings {
            directory: directory::from_env(),
            binds,
            database_urls: Part::ALL.map(|part| var(&part.variable("DATABASE_URL"))),
        })
    }

    pub fn bind(&self, part: Part) -> SocketAddr {
        self.binds[part as usize]
    }

    /// A database that is given from outside.
    pub fn database_url(&self, part: Part) -> Option<&str> {
        self.database_urls[part as usize].as_deref()
    }

    /// Services that need a database of the private cluster.
    pub fn without_database(&self) -> Vec<Part> {
        let all = Part::ALL.into_iter();
        all.filter(|part| self.database_url(*part).is_none()).collect()
    }

    /// # Errors
    /// When two services would share a database: their tables would mix.
    pub fn check(&self) -> Result<()> {
        for (index, part) in Part::ALL.into_iter().enumerate() {
            for other in &Part::ALL[index + 1..] {
                if self
                    .database_url(part)
                    .is_some_and(|url| self.database_url(*other) == Some(url))
                {
                    let (one, two) = (part.variable("DATABASE_URL"), other.variable("DATABASE_URL"));
                    return Err(Failure::new(format!(
                        "{one} and {two} are the same: each service needs its own"
                    )));
                }
            }
        }
        Ok(())
    }
}
