//! A message in the form in which it goes over the wire.

use chrono::{DateTime, Utc};
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use lettre::{Address, message::MessageBuilder};
use service_kit::config::Mail;
use std::time::SystemTime;
use uuid::Uuid;

/// What is to be written.
#[derive(Debug, Default)]
pub struct Draft<'a> {
    pub id: Uuid,
    /// Who writes, if it is somebody.
    pub writer: Option<&'a str>,
    pub to: &'a [String],
    pub cc: &'a [String],
    pub bcc: &'a [String],
    pub subject: &'a str,
    pub text: &'a str,
    pub html: Option<&'a str>,
    /// Without angle brackets.
    pub in_reply_to: Option<&'a str>,
    pub reference_ids: &'a [String],
    pub files: &'a [File],
}

/// A file that goes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// A message, ready for the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// Without angle brackets.
    pub message_id: String,
    /// As it stands in the message.
    pub from: String,
    /// The address that answers for it.
    pub sender: String,
    pub recipients: Vec<String>,
    pub message: Vec<u8>,
}

/// Why a message cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    #[error("the sender's address cannot be used: {0}")]
    Sender(#[source] lettre::address::AddressError),
    #[error("{address} cannot be used: {source}")]
    Recipient {
        address: String,
        source: lettre::address::AddressError,
    },
    #[error("the message cannot be written: {0}")]
    Message(#[from] lettre::error::Error),
}

/// Writes the message, its `Message-ID` and date included: whatever happens to it later, it stays
/// the same message.
///
/// # Errors
/// See [`ComposeError`].
pub fn compose(mail: &Mail, draft: &Draft<'_>, now: DateTime<Utc>) -> Result<Composed, ComposeError> {
    let mut from: Mailbox = mail.from.parse().map_err(ComposeError::Sender)?;
    if let Some(writer) = draft.writer {
        from.name = Some(writer.to_owned());
    }
    let message_id = format!("{}@{}", draft.id.simple(), from.email.domain());
    let (from_text, sender) = (from.to_string(), from.email.to_string());
    let mut builder = Message::builder()
        .from(from)
        .subject(draft.subject)
        .date(SystemTime::from(now))
        .message_id(Some(format!("<{message_id}>")));
    let mut recipients = Vec::new();
    for (addresses, add) in [
        (
            draft.to,
            MessageBuilder::to as fn(MessageBuilder, Mailbox) -> MessageBuilder,
        ),
        (draft.cc, MessageBuilder::cc),
        // Not named in the message.
        (draft.bcc, |builder, _| builder),
    ] {
        for address in addresses {
            let parsed: Address = address.parse().map_err(|source| ComposeError::Recipient {
                address: address.clone(),
                source,
            })?;
            builder = add(builder, Mailbox::new(None, parsed));
            if !recipients.contains(address) {
                recipients.push(address.clone());
            }
        }
    }
    if let Some(answered) = draft.in_reply_to {
        builder = builder.in_reply_to(format!("<{answered}>"));
    }
    if !draft.reference_ids.is_empty() {
        let references: Vec<String> = draft.reference_ids.iter().map(|id| format!("<{id}>")).collect();
        builder = builder.references(references.join(" "));
    }
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(draft.text.to_owned());
    let envelope = lettre::address::Envelope::new(
        sender.parse().ok(),
        recipients.iter().filter_map(|address| address.parse().ok()).collect(),
    )?;
    let builder = builder.envelope(envelope);
    let html = draft.html.map(|html| {
        SinglePart::builder()
            .header(ContentType::TEXT_HTML)
            .body(html.to_owned())
    });
    let message = match (html, draft.files) {
        (None, []) => builder.singlepart(text)?,
        (Some(html), []) => builder.multipart(MultiPart::alternative().singlepart(text).singlepart(html))?,
        (html, files) => {
            let mut parts = match html {
                None => MultiPart::mixed().singlepart(text),
                Some(html) => MultiPart::mixed().multipart(MultiPart::alternative().singlepart(text).singlepart(html)),
            };
            for file in files {
                let kind = ContentType::parse(file.content_type).unwrap_or(ContentType::TEXT_PLAIN);
                parts = parts.singlepart(Attachment::new(file.name.clone()).body(file.bytes.clone(), kind));
            }
            builder.multipart(parts)?
        }
    };
    Ok(Composed {
        message_id,
        from: from_text,
        sender,
        recipients,
        message: message.formatted(),
    })
}
