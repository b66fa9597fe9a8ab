//! What a caller may choose about a cluster, and the configuration file it becomes.

use std::path::{Path, PathBuf};

use crate::error::ClusterError;

/// Where a cluster lives and how it runs.
///
/// `Settings { durable: false, ..Settings::new(directory) }` changes what it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The cluster's directory, made if it is missing; relative to the working directory.
    pub directory: PathBuf,
    /// Whether a commit survives a power cut. `false` is for tests: several times faster, and
    /// the data may be lost when the machine (not merely a process) stops.
    pub durable: bool,
    /// How many connections the server accepts. Changing it needs a restart of the server.
    pub max_connections: u32,
    /// Further PostgreSQL settings by name; they win over the ones chosen here.
    pub extra: Vec<(String, String)>,
}

impl Settings {
    /// A durable cluster with 60 connections.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            durable: true,
            max_connections: 60,
            extra: Vec::new(),
        }
    }

    /// The text of `server.conf`.
    ///
    /// # Errors
    /// [`ClusterError::InvalidSetting`] for a further setting with an impossible name or value.
    pub(crate) fn configuration(&self, socket_directory: &Path) -> Result<String, ClusterError> {
        let mut lines = vec!["# Written by private-postgres at every start; changes here are lost.".to_owned()];
        let mut set = |name: &str, value: &str| {
            lines.push(format!("{name} = {}", quoted(value)));
        };
        // who can connect: the socket in its private directory, and nobody else
        set("listen_addresses", "");
        set("port", crate::socket::PORT);
        set("unix_socket_directories", &socket_directory.to_string_lossy());
        set("unix_socket_permissions", "0700");
        set("password_encryption", "scram-sha-256");
        set("max_connections", &self.max_connections.to_string());
        // the same answers everywhere, whatever the machine's locale and clock
        set("timezone", "UTC");
        set("log_timezone", "UTC");
        set("lc_messages", "C");
        // short transactions of a small company on a small machine
        set("shared_buffers", "128MB");
        set("wal_buffers", "16MB");
        set("max_wal_size", "2GB");
        set("checkpoint_timeout", "15min");
        set("jit", "off");
        set("log_min_messages", "warning");
        set("log_line_prefix", "%m [%p] %q%u@%d ");
        set("cluster_name", "tandem");
        let safe = if self.durable { "on" } else { "off" };
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            set(name, safe);
        }
        for (name, value) in &self.extra {
            check(name, value)?;
            set(name, value);
        }
        lines.push(String::new());
        Ok(lines.join("\n"))
    }
}

/// Whether a configuration written by [`Settings::configuration`] lets the system lose commits.
pub(crate) fn is_durable(configuration: &str) -> bool {
    configuration
        .lines()
        .rfind(|line| line.starts_with("fsync = "))
        .is_none_or(|line| line == "fsync = 'on'")
}

fn check(name: &str, value: &str) -> Result<(), ClusterError> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if name.is_empty() || !name.chars().all(letters) || value.contains(char::is_control) {
        return Err(ClusterError::InvalidSetting(format!("{name} = {value}")));
    }
    Ok(())
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(settings: &Settings) -> String {
        settings.configuration(Path::new("/tmp/it's")).unwrap()
    }

    #[test]
    fn a_durable_cluster_keeps_fsync_and_nobody_listens_on_tcp() {
        let text = configuration(&Settings::new("x"));
        assert!(text.contains("\nfsync = 'on'\n"));
        assert!(text.contains("\nlisten_addresses = ''\n"));
        assert!(text.contains("\nunix_socket_directories = '/tmp/it''s'\n"));
        assert!(is_durable(&text));
    }

    #[test]
    fn extra_settings_come_last_and_win() {
        let extra = vec![("fsync".to_owned(), "off".to_owned())];
        let text = configuration(&Settings {
            extra,
            ..Settings::new("x")
        });
        assert!(text.ends_with("\nfsync = 'off'\n"));
        assert!(!is_durable(&text));
    }

    #[test]
    fn a_setting_cannot_smuggle_in_another() {
        for (name, value) in [("", "1"), ("a b", "1"), ("a", "1'\nfsync = off")] {
            let extra = vec![(name.to_owned(), value.to_owned())];
            let settings = Settings {
                extra,
                ..Settings::new("x")
            };
            let refused = settings.configuration(Path::new("/tmp"));
            assert!(matches!(refused, Err(ClusterError::InvalidSetting(_))));
        }
    }
}
