use super::model::{DeadLetter, DeadLetterRow, DeadLetterState, DiscardIn, Refusal};
use super::queries;
use crate::flows::{Change, Flow, Record, Request};
use crate::runner::{Courier, Outcome};
use service_kit::{Problem, Result, Tx};
use uuid::Uuid;

fn require_open(letter: &DeadLetterRow, action: &str) -> Result<()> {
    match letter.state {
        DeadLetterState::Open => Ok(()),
        closed => Err(Problem::illegal_transition(action, closed.as_str(), &[]).into()),
    }
}

/// Sends the record's current state, or what was stored when its owner does not show it.
pub async fn send_again(courier: &Courier, letter: &DeadLetterRow) -> Outcome {
    let refused = |reason: &str| {
        Outcome::Refused(Refusal {
            status: None,
            answer: None,
            reason: reason.to_owned(),
        })
    };
    let Some((flow, record)) = Flow::named(&letter.flow).and_then(|flow| Some((flow, flow.record(&letter.kind)?)))
    else {
        return refused("there is no such flow any more");
    };
    let current = current_state(courier, flow, record, letter).await;
    let request = current
        .and_then(|change| (flow.request)(&change).ok().flatten())
        .map(|item| flow.alone(&item, letter.replace))
        .or_else(|| stored(letter));
    match request {
        Some(request) => courier.deliver(flow.target, &request).await,
        None => refused("no request can be made of this record"),
    }
}

async fn current_state(
    courier: &Courier,
    flow: &'static Flow,
    record: &'static Record,
    letter: &DeadLetterRow,
) -> Option<Change> {
    let path = format!("{}/{}", record.one?, letter.subject);
    let reply = courier
        .apis
        .of(flow.source)
        .get(&path)
        .await
        .ok()
        .filter(|reply| reply.status == 200)?;
    record
        .current(serde_json::from_slice(&reply.body).ok()?, letter.replace)
        .ok()
}

fn stored(letter: &DeadLetterRow) -> Option<Request> {
    Some(Request {
        path: letter.path.clone()?,
        body: letter.request.as_ref()?.to_string(),
    })
}

/// Records what became of a retry by hand; without an outcome nothing was sent.
pub fn settle(tx: &mut Tx<'_>, id: Uuid, outcome: Option<&Outcome>) -> Result<DeadLetter> {
    let before = queries::lock(tx, id)?;
    let Some(outcome) = outcome else {
        let letter = DeadLetter::from(before.clone());
        tx.match_if_given(&letter)?;
        require_open(&before, "retry")?;
        return Ok(letter);
    };
    // A later version may have been applied while this one was under way.
    if before.state != DeadLetterState::Open {
        return Ok(before.into());
    }
    let after = match outcome {
        Outcome::Applied(_) => {
            let resolution = format!("applied at a retry by {}", tx.actor().name);
            queries::close(tx, id, DeadLetterState::Resolved, &resolution)?
        }
        Outcome::Refused(refusal) => queries::refuse_again(tx, id, refusal)?,
        Outcome::Down(error) | Outcome::Busy(error) => {
            let reason = format!("not settled by a retry: {error}");
            queries::refuse_again(
                tx,
                id,
                &Refusal {
                    status: None,
                    answer: None,
                    reason,
                },
            )?
        }
    };
    let (before, after) = (DeadLetter::from(before), DeadLetter::from(after));
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// Gives a dead letter up.
pub fn discard(tx: &mut Tx<'_>, id: Uuid, input: &DiscardIn) -> Result<DeadLetter> {
    let before = queries::lock(tx, id)?;
    require_open(&before, "discard")?;
    let after = queries::close(tx, id, DeadLetterState::Discarded, &input.reason)?;
    let (before, after) = (DeadLetter::from(before), DeadLetter::from(after));
    tx.match_if_given(&before)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
