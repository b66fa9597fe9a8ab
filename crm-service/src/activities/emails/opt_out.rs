//! Nobody who has withdrawn consent is written to, but in answer to what they wrote, or for a reason that is named.
//!
//! It is asked when a message is written, of whom its writer sees, and again of everybody when it goes out: between the two
//! somebody may have said no.

use crate::activities::model::ActivityDirection;
use crate::customers::consent::{self, Channel};
use crate::schema::{activities, email_contents};
use diesel::prelude::*;
use service_kit::{Result, Sight};
use uuid::Uuid;

/// Those of these addresses that have said no; whose message is answered has asked for it.
pub fn said_no(
    conn: &mut PgConnection,
    sight: &Sight,
    reached: &[&str],
    answered_sender: Option<&str>,
) -> Result<Vec<String>> {
    let asked = answered_sender.map(|from| bare(from).to_lowercase());
    let unasked = reached.iter().copied();
    let unasked: Vec<&str> = unasked
        .filter(|address| Some(address.to_lowercase()) != asked)
        .collect();
    consent::withdrawn(conn, sight, Channel::Email, &unasked)
}

/// Why a message that is about to go out must not, if it must not.
///
/// # Errors
/// When the database refuses.
pub fn stops(conn: &mut PgConnection, activity: Uuid, recipients: &[String]) -> Result<Option<String>> {
    let contents: Option<(Option<String>, Option<String>)> = email_contents::table
        .find(activity)
        .select((email_contents::despite_withdrawn, email_contents::in_reply_to))
        .first(conn)
        .optional()?;
    let Some((None, answered)) = contents else {
        return Ok(None);
    };
    let answered_sender: Option<String> = match answered {
        Some(message_id) => activities::table
            .filter(activities::message_id.eq(message_id))
            .filter(activities::direction.eq(ActivityDirection::In))
            .select(activities::from_address)
            .first::<Option<String>>(conn)
            .optional()?
            .flatten(),
        None => None,
    };
    let reached: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let said_no = said_no(conn, &Sight::All, &reached, answered_sender.as_deref())?;
    Ok((!said_no.is_empty()).then(|| {
        let whose = said_no.join(", ");
        format!("not sent: consent to e-mail was withdrawn after it was written ({whose})")
    }))
}

/// The address without the name that a sender shows with it.
pub fn bare(shown: &str) -> String {
    let inner = shown.strip_suffix('>').and_then(|shown| shown.rsplit_once('<'));
    inner.map_or(shown, |(_, address)| address).to_owned()
}
