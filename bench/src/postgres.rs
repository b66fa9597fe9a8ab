//! The stack's own PostgreSQL server, through the programs of its version.

use crate::failure::{Context, Failure, Result};
use crate::stack::Stack;
use private_postgres::Cluster;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// Debian keeps the programs out of the PATH, a folder for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A database, as libpq's environment variables: arguments are for all to see.
pub struct Database {
    environment: [(&'static str, String); 5],
    programs: Option<PathBuf>,
}

impl Database {
    /// # Errors
    /// When the cluster's URL is not of the form that it has.
    pub fn of(cluster: &Cluster, name: &str) -> Result<Self> {
        let url = cluster.url(name);
        let [user, password, host, port, database] =
            parts(&url).ok_or_else(|| Failure::new("the cluster's URL is not understood"))?;
        let major = std::fs::read_to_string(cluster.data_directory().join("PG_VERSION")).unwrap_or_default();
        let programs = Path::new(DEBIAN).join(major.trim()).join("bin");
        Ok(Database {
            environment: [
                ("PGUSER", user),
                ("PGPASSWORD", password),
                ("PGHOST", host),
                ("PGPORT", port),
                ("PGDATABASE", database),
            ],
            programs: programs.join("pgbench").is_file().then_some(programs),
        })
    }

    /// One of PostgreSQL's programs, connected to this database.
    pub fn command(&self, program: &str) -> Command {
        let path = match &self.programs {
            Some(directory) => directory.join(program),
            None => program.into(),
        };
        let mut command = Command::new(path);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// What a statement answers.
    ///
    /// # Errors
    /// When it fails.
    pub async fn run(&self, statement: &str) -> Result<String> {
        self.psql(["--command".as_ref(), statement.as_ref()]).await
    }

    /// # Errors
    /// When a statement of the file fails.
    pub async fn run_file(&self, path: &Path) -> Result<()> {
        self.psql(["--file".as_ref(), path.as_os_str()]).await.map(|_| ())
    }

    async fn psql(&self, what: [&OsStr; 2]) -> Result<String> {
        let mut command = self.command("psql");
        command.args(["--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--no-align"]);
        command.args(["--set", "ON_ERROR_STOP=1"]).args(what);
        output_of("psql", &mut command).await.map(|text| text.trim().to_owned())
    }
}

/// What a program prints.
///
/// # Errors
/// When it cannot be run or ends with an error.
pub async fn output_of(program: &str, command: &mut Command) -> Result<String> {
    let output = command.output().await.context(|| format!("{program} cannot be run"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!(
            "{program} ended with {}: {}",
            output.status,
            said.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// # Errors
/// When the server does not answer.
pub async fn version(stack: &Stack) -> Result<String> {
    let database = Database::of(&stack.cluster, "postgres")?;
    database.run("SHOW server_version").await
}

/// User, password, host, port and database of `postgresql://user:password@host:port/database`.
fn parts(url: &str) -> Option<[String; 5]> {
    let (credentials, place) = url.strip_prefix("postgresql://")?.rsplit_once('@')?;
    let (user, password) = credentials.split_once(':')?;
    let (address, database) = place.split_once('/')?;
    let (host, port) = address.rsplit_once(':')?;
    let parts = [user, password, host, port, database].map(decoded);
    let [Some(user), Some(password), Some(host), Some(port), Some(database)] = parts else {
        return None;
    };
    Some([user, password, host, port, database])
}

/// Without percent signs; `None` when they do not stand for UTF-8.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((plain, coded)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        bytes.push(u8::from_str_radix(coded.get(..2)?, 16).ok()?);
        rest = coded.get(2..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn the_parts_of_a_url_are_decoded() {
        let parts = parts("postgresql://tandem:s3cret@%2Ftmp%2Ftandem-0-a%25b:5432/erp").unwrap();
        assert_eq!(parts, ["tandem", "s3cret", "/tmp/tandem-0-a%b", "5432", "erp"]);
    }

    #[test]
    fn what_is_not_such_a_url_is_refused() {
        for url in [
            "",
            "mysql://a:b@c:1/d",
            "postgresql://a@c:1/d",
            "postgresql://a:b@c:1",
            "postgresql://a:b@%zz:1/d",
        ] {
            assert_eq!(super::parts(url), None, "{url}");
        }
    }
}
