//! The mail server, as the configuration names it.

use lettre::address::Envelope;
use lettre::transport::smtp::Error as SmtpError;
use lettre::{Address, SmtpTransport, Transport};
use service_kit::config::Mail;
use std::time::Duration;

/// How long each word of the server may take. A message has some dozens of them, so that it is
/// through, or given up, long before another process may take it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    Taken,
    /// Try again later.
    Later(String),
    /// The server will never take it.
    Refused(String),
}

/// A way to the mail server.
pub struct Smtp(SmtpTransport);

impl Smtp {
    /// # Errors
    /// What is wrong with the server's address, in words.
    pub fn of(mail: &Mail) -> Result<Self, String> {
        let builder = SmtpTransport::from_url(&mail.smtp_url).map_err(|error| error.to_string())?;
        Ok(Smtp(builder.timeout(Some(PATIENCE)).build()))
    }

    /// Gives the server one message. Call it where one may block.
    pub fn send(&self, sender: &str, recipients: &[String], message: &[u8]) -> Attempt {
        match envelope(sender, recipients) {
            Ok(envelope) => match self.0.send_raw(&envelope, message) {
                Ok(_) => Attempt::Taken,
                Err(error) => outcome(&error),
            },
            Err(wrong) => Attempt::Refused(wrong),
        }
    }
}

fn envelope(sender: &str, recipients: &[String]) -> Result<Envelope, String> {
    let address = |text: &str| text.parse::<Address>().map_err(|error| format!("{text}: {error}"));
    let sender = address(sender)?;
    let recipients = recipients.iter().map(|recipient| address(recipient));
    Envelope::new(Some(sender), recipients.collect::<Result<_, _>>()?).map_err(|error| error.to_string())
}

/// Whatever is not refused for good may go through later: a server that is away comes back, and
/// what is wrong here is mended.
fn outcome(error: &SmtpError) -> Attempt {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    let said: String = said.chars().filter(|c| !c.is_control()).take(500).collect();
    match error.is_permanent() {
        true => Attempt::Refused(said),
        false => Attempt::Later(said),
    }
}
