//! Making databases in a running cluster, through its own `psql`.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::cluster::Cluster;
use crate::error::ClusterError;
use crate::files::failed;
use crate::initdb::SUPERUSER;
use crate::programs::last_words;
use crate::socket;

/// PostgreSQL would shorten a longer name without an error.
const LONGEST_NAME_BYTES: usize = 63;

const EXISTS: &str = "SELECT 'yes' FROM pg_database WHERE datname = :'name';";
const CREATE: &str = "CREATE DATABASE :\"name\";";

impl Cluster {
    /// Makes an empty database unless there is one of this name; tells whether it made it.
    ///
    /// # Errors
    /// [`ClusterError::InvalidDatabaseName`], or [`ClusterError::Program`] if `psql` fails, as
    /// it does when the cluster is not running.
    pub fn create_database(&self, name: &str) -> Result<bool, ClusterError> {
        if name.is_empty() || name.len() > LONGEST_NAME_BYTES || name.contains('\0') {
            return Err(ClusterError::InvalidDatabaseName(name.to_owned()));
        }
        if self.has_database(name)? {
            return Ok(false);
        }
        match self.psql(CREATE, name) {
            Ok(_) => Ok(true),
            // somebody else may have made it in between
            Err(error) => match self.has_database(name)? {
                true => Ok(false),
                false => Err(error),
            },
        }
    }

    fn has_database(&self, name: &str) -> Result<bool, ClusterError> {
        Ok(self.psql(EXISTS, name)?.trim() == "yes")
    }

    /// Runs a statement that may mention `:name`; the password goes through the environment,
    /// where only we can see it.
    fn psql(&self, statement: &str, name: &str) -> Result<String, ClusterError> {
        let program = self.server.binaries.program("psql");
        let mut child = Command::new(&program)
            .env_clear()
            .env("LC_ALL", "C")
            .env("PGCLIENTENCODING", "UTF8")
            .env("PGCONNECT_TIMEOUT", "10")
            .env("PGPASSWORD", self.password.reveal())
            .arg("--host")
            .arg(&self.socket_directory)
            .args(["--port", socket::PORT, "--username", SUPERUSER])
            .args(["--dbname", "postgres", "--no-psqlrc", "--no-password"])
            .args(["--tuples-only", "--no-align", "--quiet"])
            .args(["--set", "ON_ERROR_STOP=1", "--set", &format!("name={name}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed("run", &program))?;
        if let Some(mut input) = child.stdin.take() {
            // a psql that could not connect has closed its input: its own words say more
            let _ = input.write_all(statement.as_bytes());
        }
        let output = child.wait_with_output().map_err(failed("run", &program))?;
        if !output.status.success() {
            return Err(ClusterError::Program {
                program: "psql".to_owned(),
                output: last_words(&output),
            });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
