//! Reading an RFC 5322 message: pure, and naming every fault.
//!
//! Mail comes from anywhere and is read leniently, as mail programs do. What a message cannot do
//! without is a sender and a `Message-ID`: by that one it is known again when it is delivered twice.

use crate::activities::emails::model::EmailAttachment;
use chrono::{DateTime, Utc};
use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders, PartType};
use service_kit::Faults;

/// A message as far as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Without angle brackets.
    pub message_id: String,
    pub in_reply_to: Option<String>,
    /// The oldest first; `in_reply_to` among them.
    pub reference_ids: Vec<String>,
    /// The address, in small letters.
    pub from: String,
    /// With the name, for people.
    pub from_shown: String,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    pub date: Option<DateTime<Utc>>,
    pub attachments: Vec<EmailAttachment>,
}

const MOST_ADDRESSES: usize = 200;
const MOST_REFERENCES: usize = 100;
const MOST_ATTACHMENTS: usize = 200;
const LONGEST_TEXT: usize = 100_000;
const LONGEST_HTML: usize = 500_000;

/// Reads a message; faults point to the header that has them.
pub fn read(source: &[u8], faults: &mut Faults) -> Option<Incoming> {
    let Some(message) = MessageParser::default().parse(source) else {
        faults.add("", "malformed_message", "this is no RFC 5322 message");
        return None;
    };
    let message_id = message.message_id().map(clean).unwrap_or_default();
    if message_id.is_empty() {
        faults.add(
            "Message-ID",
            "required",
            "a message without a Message-ID is not known again",
        );
    } else if message_id.len() > 998 || !message_id.contains('@') && message_id.len() < 3 {
        faults.add("Message-ID", "bad_format", "not a usable Message-ID");
    }
    let from = message.from().and_then(Address::first);
    let address = from.and_then(|from| from.address()).map(clean).unwrap_or_default();
    if address.is_empty() {
        faults.add("From", "required", "whom is the message from?");
    } else if !is_address(&address) {
        faults.add("From", "bad_format", "not an e-mail address");
    }
    let (to, cc) = (addresses(message.to()), addresses(message.cc()));
    for (name, addresses) in [("To", &to), ("Cc", &cc)] {
        if addresses.len() > MOST_ADDRESSES {
            let message = format!("at most {MOST_ADDRESSES} addresses");
            faults.add(name, "too_long", message);
        }
    }
    let mut reference_ids = ids(message.references());
    let in_reply_to = ids(message.in_reply_to()).pop();
    if let Some(answered) = &in_reply_to
        && !reference_ids.contains(answered)
    {
        reference_ids.push(answered.clone());
    }
    reference_ids.retain(|id| *id != message_id);
    if reference_ids.len() > MOST_REFERENCES {
        // The beginning of the conversation, and where it is now.
        reference_ids.drain(1..=reference_ids.len() - MOST_REFERENCES);
    }
    if !faults.is_empty() {
        return None;
    }
    let name = from.and_then(|from| from.name()).map(clean).unwrap_or_default();
    let subject: String = message.subject().map(clean).unwrap_or_default();
    let subject = if subject.is_empty() {
        "(no subject)".to_owned()
    } else {
        subject
    };
    Some(Incoming {
        message_id,
        in_reply_to,
        reference_ids,
        from_shown: match name.is_empty() {
            true => address.clone(),
            false => cut(&format!("{name} <{address}>"), 320),
        },
        from: address.to_lowercase(),
        to,
        cc,
        subject: cut(&subject, 300),
        text: message
            .body_text(0)
            .map(|text| cut(&text.replace('\0', ""), LONGEST_TEXT))
            .filter(|text| !text.is_empty()),
        html: html(&message),
        date: message
            .date()
            .filter(|date| date.is_valid())
            .and_then(|date| DateTime::from_timestamp(date.to_timestamp(), 0)),
        attachments: message
            .attachments()
            .take(MOST_ATTACHMENTS)
            .map(|part| EmailAttachment {
                name: part.attachment_name().map(|name| cut(&clean(name), 200)),
                content_type: part.content_type().map_or_else(
                    || "application/octet-stream".to_owned(),
                    |kind| {
                        let subtype = kind.subtype().unwrap_or("octet-stream");
                        cut(&clean(&format!("{}/{subtype}", kind.ctype())), 100)
                    },
                ),
                size: i64::try_from(part.contents().len()).unwrap_or(i64::MAX),
            })
            .collect(),
    })
}

/// The bytes of an attachment, with its name and type.
pub fn attachment(source: &[u8], position: usize) -> Option<(EmailAttachment, Vec<u8>)> {
    let message = MessageParser::default().parse(source)?;
    let position = u32::try_from(position).ok()?;
    let bytes = message.attachment(position)?.contents().to_vec();
    let mut none = Faults::default();
    let read = read(source, &mut none)?;
    let facts = read.attachments.into_iter().nth(position as usize)?;
    Some((facts, bytes))
}

/// Only what the sender wrote as HTML, not what can be made of the text.
fn html(message: &Message<'_>) -> Option<String> {
    let part = message.html_part(0)?;
    match &part.body {
        PartType::Html(html) => Some(cut(&html.replace('\0', ""), LONGEST_HTML)),
        _ => None,
    }
}

fn addresses(value: Option<&Address<'_>>) -> Vec<String> {
    let all = value.into_iter().flat_map(|value| value.iter());
    all.filter_map(|address| address.address())
        .map(|address| cut(&clean(address), 320))
        .filter(|address| !address.is_empty())
        .collect()
}

/// Message ids of a header, in its order.
fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    let all: Vec<String> = match value {
        HeaderValue::Text(id) => vec![clean(id)],
        HeaderValue::TextList(ids) => ids.iter().map(|id| clean(id)).collect(),
        _ => Vec::new(),
    };
    all.into_iter().filter(|id| (3..=998).contains(&id.len())).collect()
}

/// On one line, without what no text column takes.
fn clean(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

fn is_address(text: &str) -> bool {
    text.len() <= 254
        && !text.contains(char::is_whitespace)
        && text
            .rsplit_once('@')
            .is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(source: &str) -> Vec<(String, String)> {
        let mut faults = Faults::default();
        let read = read(source.as_bytes(), &mut faults);
        assert_eq!(read.is_some(), faults.is_empty());
        let problem = faults.check().err();
        let faults = problem.into_iter().flat_map(|problem| problem.errors);
        faults.map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn a_message_is_read() {
        let source = "From: =?utf-8?q?Zo=C3=AB?= <Zoe@Example.COM>\r\nTo: a@x.example, Group: b@x.example;\r\nCc: \"C\" <c@x.example>\r\n\
            Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\nDate: Fri, 2 Jan 2026 10:00:00 +0100\r\nMessage-ID: <3@x>\r\n\
            In-Reply-To: <2@x>\r\nReferences: <1@x>\r\n <2@x>\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n\
            --c\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6n\r\n\
            --c\r\nContent-Type: text/html\r\n\r\n<p>Sch&ouml;n</p>\r\n--c--\r\n\
            --b\r\nContent-Type: application/pdf; name=\"offer.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
            Content-Disposition: attachment\r\n\r\nSGVsbG8=\r\n--b--\r\n";
        let mut faults = Faults::default();
        let read = read(source.as_bytes(), &mut faults);
        assert_eq!(
            read,
            Some(Incoming {
                message_id: "3@x".to_owned(),
                in_reply_to: Some("2@x".to_owned()),
                reference_ids: vec!["1@x".to_owned(), "2@x".to_owned()],
                from: "zoe@example.com".to_owned(),
                from_shown: "Zoë <Zoe@Example.COM>".to_owned(),
                to: vec!["a@x.example".to_owned(), "b@x.example".to_owned()],
                cc: vec!["c@x.example".to_owned()],
                subject: "Grüße".to_owned(),
                text: Some("Schön".to_owned()),
                html: Some("<p>Sch&ouml;n</p>".to_owned()),
                date: "2026-01-02T09:00:00Z".parse().ok(),
                attachments: vec![EmailAttachment {
                    name: Some("offer.pdf".to_owned()),
                    content_type: "application/pdf".to_owned(),
                    size: 5,
                }],
            })
        );
        let attachment = attachment(source.as_bytes(), 0);
        assert_eq!(attachment.map(|(_, bytes)| bytes), Some(b"Hello".to_vec()));
    }

    #[test]
    fn a_broken_message_is_told_all_its_faults() {
        let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
        assert_eq!(
            codes("Subject: x\r\n\r\nx"),
            [fault("Message-ID", "required"), fault("From", "required")]
        );
        assert_eq!(
            codes("From: <nobody>\r\nMessage-ID: <1@x>\r\n\r\nx"),
            [fault("From", "bad_format")]
        );
        assert_eq!(codes("").len(), 1);
        let many = "a@x.example, ".repeat(300);
        assert_eq!(
            codes(&format!(
                "From: a@x.example\r\nMessage-ID: <1@x>\r\nTo: {many}b@x.example\r\n\r\nx"
            )),
            [fault("To", "too_long")]
        );
    }

    proptest! {
        /// Whatever comes, it is read or refused.
        #[test]
        fn no_message_is_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..300), start in "(From: a@b.c\r\nMessage-ID: <1@x>\r\n)?") {
            let source = [start.as_bytes(), &bytes].concat();
            let mut faults = Faults::default();
            let read = read(&source, &mut faults);
            prop_assert_eq!(read.is_some(), faults.is_empty());
        }
    }
}
