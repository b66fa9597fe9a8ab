//! The one error of this program.

use std::error::Error;

/// Why nothing can be measured: a line for the person in front of it, and what caused it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            source: None,
        }
    }

    /// The line with all its causes behind it.
    pub fn with_causes(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

/// Puts what was tried in front of why it failed.
pub trait Context<T> {
    /// # Errors
    /// The error of `self`, as the cause of a [`Failure`].
    fn context(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Error + Send + Sync + 'static> Context<T> for Result<T, E> {
    fn context(self, message: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure {
            message: message(),
            source: Some(Box::new(error)),
        })
    }
}
