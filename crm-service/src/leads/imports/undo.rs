//! Taking back what an import did to a lead.

use crate::leads::model::LeadRow;
use crate::leads::state::{DisqualifiedReason, LeadState};
use crate::leads::{editing, queries, touches};
use crate::subjects::{self, SubjectRef, SubjectType};
use service_kit::exchange::{ImportUndoOutcome, Noted};
use service_kit::{Problem, Result, Tx};

pub fn take_back(tx: &mut Tx<'_>, change: &Noted) -> Result<ImportUndoOutcome> {
    let now = queries::lock(tx, change.record_id)?;
    // It counts touches and assignments too.
    if now.version != change.version {
        return Err(Problem::conflict("changed_since", "the lead was changed since").into());
    }
    let Some(before) = change.before::<LeadRow>()? else {
        let lead = SubjectRef {
            kind: SubjectType::Lead,
            id: now.id,
        };
        if subjects::is_in_use(tx, lead)? {
            return Err(Problem::conflict("in_use", "something hangs on the lead").into());
        }
        let after = LeadRow {
            state: LeadState::Disqualified,
            disqualified_reason: Some(DisqualifiedReason::Other),
            disqualified_note: Some("The import that made it was taken back".to_owned()),
            external_ref: None,
            ..now.clone()
        };
        let after = editing::settled(tx, after)?;
        editing::save(tx, &now, after)?;
        return Ok(ImportUndoOutcome::Withdrawn);
    };
    touches::remove_of_import(tx, now.id, change.import_id)?;
    let after = LeadRow {
        version: now.version,
        revision: now.revision,
        ..before
    };
    let after = editing::settled(tx, after)?;
    editing::save(tx, &now, after)?;
    Ok(ImportUndoOutcome::Restored)
}
