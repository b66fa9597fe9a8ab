//! The three services and what they are called in each place.

use clap::ValueEnum;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// One of the three services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Part {
    Erp,
    Crm,
    Sync,
}

impl Part {
    pub const ALL: [Part; 3] = [Part::Erp, Part::Crm, Part::Sync];

    /// In commands, in `stack.json`, and of the database.
    pub fn name(self) -> &'static str {
        match self {
            Part::Erp => "erp",
            Part::Crm => "crm",
            Part::Sync => "sync",
        }
    }

    /// Of the service, in messages.
    pub fn service(self) -> &'static str {
        match self {
            Part::Erp => "erp-service",
            Part::Crm => "crm-service",
            Part::Sync => "integration-sync",
        }
    }

    /// Of its environment variables.
    pub fn prefix(self) -> &'static str {
        match self {
            Part::Erp => "ERP",
            Part::Crm => "CRM",
            Part::Sync => "SYNC",
        }
    }

    /// The variable `<PREFIX>_<name>`.
    pub fn variable(self, name: &str) -> String {
        format!("{}_{name}", self.prefix())
    }

    pub fn default_bind(self) -> SocketAddr {
        let port = match self {
            Part::Erp => 8081,
            Part::Crm => 8082,
            Part::Sync => 8083,
        };
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.service())
    }
}
