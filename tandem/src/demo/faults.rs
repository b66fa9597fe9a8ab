//! What is wrong with the files of a company: all of it, and where.

use std::fmt;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub file: &'static str,
    /// Of the file, from 1; absent when it is the file as a whole.
    pub line: Option<u64>,
    /// Absent when it is the whole line.
    pub column: Option<&'static str>,
    pub message: String,
}

impl Fault {
    pub fn file(file: &'static str, message: impl Into<String>) -> Self {
        Fault {
            file,
            line: None,
            column: None,
            message: message.into(),
        }
    }

    pub fn line(file: &'static str, line: u64, message: impl Into<String>) -> Self {
        Fault {
            line: Some(line),
            ..Fault::file(file, message)
        }
    }

    pub fn at(file: &'static str, line: u64, column: &'static str, message: impl Into<String>) -> Self {
        Fault {
            column: Some(column),
            ..Fault::line(file, line, message)
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// All faults of a company, by file and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// # Errors
    /// The faults, if there are any.
    pub fn check(mut faults: Vec<Fault>) -> Result<(), Faults> {
        faults.sort();
        match faults.is_empty() {
            true => Ok(()),
            false => Err(Faults(faults)),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 fault in its files")?,
            n => write!(f, "{n} faults in its files")?,
        }
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
