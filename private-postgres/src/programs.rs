//! Running programs, and the end of what they say when they fail.

use std::path::Path;
use std::process::{Command, Output};

use crate::error::ClusterError;
use crate::files::failed;

/// Runs a program and gives what it printed.
///
/// # Errors
/// [`ClusterError::Program`] with its last words if it fails.
pub(crate) fn run(command: &mut Command) -> Result<String, ClusterError> {
    let program = Path::new(command.get_program()).to_owned();
    let output = command.output().map_err(failed("run", &program))?;
    if !output.status.success() {
        return Err(ClusterError::Program {
            program: program.display().to_string(),
            output: last_words(&output),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The end of what a failed program said.
pub(crate) fn last_words(output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let said = if complaint.trim().is_empty() {
        String::from_utf8_lossy(&output.stdout)
    } else {
        complaint
    };
    last_lines(&said, 10)
}

/// The last lines of a text.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let first = lines.len().saturating_sub(count);
    lines.get(first..).unwrap_or_default().join("\n")
}
