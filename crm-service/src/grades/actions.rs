//! The verbs of grades.

use super::model::{
    GradeApprovalIn, GradeProposal, GradeRejectionIn, GradeRun, GradeRunIn, GradeSettings, GradeSettingsIn,
    GradeThresholds, ProposalAction, ProposalRow, ProposalState, RunRow,
};
use super::queries;
use crate::currencies;
use crate::customers::model::Customer;
use crate::customers::timeline::{self, Entry};
use crate::customers::{self, actions as customer_actions};
use crate::json::AsJson;
use crate::may;
use actix_web::http::StatusCode;
use chrono::Days;
use serde_json::json;
use service_kit::{Amount, Faults, Permission, Problem, Result, Tx};
use uuid::Uuid;

pub fn configure(tx: &mut Tx<'_>, input: &GradeSettingsIn) -> Result<GradeSettings> {
    let before = queries::lock_settings(tx)?;
    tx.require_match(&before)?;
    check(input)?;
    let mut after = GradeSettings {
        period_days: input.period_days,
        a_revenue: input.a_revenue,
        a_orders: input.a_orders,
        b_revenue: input.b_revenue,
        b_orders: input.b_orders,
        c_revenue: input.c_revenue,
        c_orders: input.c_orders,
        ..before.clone()
    };
    if after == before {
        return Ok(before);
    }
    after.revision += 1;
    after.updated_at = tx.now();
    queries::save_settings(tx, &after)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn check(input: &GradeSettingsIn) -> Result<()> {
    let mut faults = Faults::default();
    let revenues = [("a", input.a_revenue), ("b", input.b_revenue), ("c", input.c_revenue)];
    for (grade, revenue) in revenues {
        if revenue.value().is_sign_negative() && !revenue.value().is_zero() {
            faults.add(format!("/{grade}_revenue"), "out_of_range", "must not be negative");
        }
    }
    let rises = |above: Amount, below: Amount| above.value() < below.value();
    let pairs = [
        ("/b_revenue", rises(input.a_revenue, input.b_revenue)),
        ("/c_revenue", rises(input.b_revenue, input.c_revenue)),
        ("/b_orders", input.a_orders < input.b_orders),
        ("/c_orders", input.b_orders < input.c_orders),
    ];
    for (pointer, _) in pairs.iter().filter(|(_, rises)| *rises) {
        faults.add(
            *pointer,
            "out_of_order",
            "a worse grade does not need more than a better one",
        );
    }
    Ok(faults.check()?)
}

/// Looks at what customers bought, and proposes grades.
pub fn propose(tx: &mut Tx<'_>, input: &GradeRunIn) -> Result<GradeRun> {
    let as_of = input.as_of.unwrap_or(tx.today());
    if as_of > tx.today() {
        let mut faults = Faults::default();
        faults.add("/as_of", "out_of_range", "must not be in the future");
        faults.check()?;
    }
    if !tx.actor().sight.sees_all() {
        let refused = Problem {
            detail: "this counts everybody's orders: it is only for those who see all records".to_owned(),
            ..Problem::forbidden(may::ProposeGrades::NAME)
        };
        return Err(refused.fact("required_sight", "all").into());
    }
    let settings = queries::lock_settings(tx)?;
    let (currency, _) = currencies::rates_to_base(tx, &[], as_of)?;
    let mut run = RunRow {
        id: tx.mint(None),
        as_of,
        currency,
        settings: AsJson(GradeThresholds {
            period_days: settings.period_days,
            a_revenue: settings.a_revenue,
            a_orders: settings.a_orders,
            b_revenue: settings.b_revenue,
            b_orders: settings.b_orders,
            c_revenue: settings.c_revenue,
            c_orders: settings.c_orders,
        }),
        proposals: 0,
        unvalued: 0,
        made_by_id: tx.actor().id,
        made_by: tx.actor().name.to_string(),
        created_at: tx.now(),
    };
    let now = tx.now();
    queries::supersede(tx, now)?;
    queries::insert_run(tx, &run)?;
    let made = queries::propose(tx, &run)?;
    (run.proposals, run.unvalued) = (made.proposals, made.unvalued);
    queries::count_run(tx, &run)?;
    let run = GradeRun::from(run);
    tx.audit(None, &run)?;
    tx.emit("grade_run.made", run.id, 1, serde_json::to_value(&run)?);
    Ok(run)
}

/// Gives the customer the grade.
pub fn approve(tx: &mut Tx<'_>, id: Uuid, input: &GradeApprovalIn) -> Result<GradeProposal> {
    let (customer, before) = locked(tx, id, ProposalAction::Approve)?;
    let run = queries::run(tx, before.run_id)?;
    if run.made_by_id == tx.actor().id {
        let detail = "who made the run may not approve what it proposes";
        return Err(Problem::new(StatusCode::FORBIDDEN, "maker_may_not_approve", detail).into());
    }
    let today = tx.today();
    let from = input.effective_from.unwrap_or(today);
    let (first, last) = (
        today.checked_sub_days(Days::new(366)),
        today.checked_add_days(Days::new(366)),
    );
    if first.is_some_and(|first| from < first) || last.is_some_and(|last| from > last) {
        let mut faults = Faults::default();
        faults.add("/effective_from", "out_of_range", "must be within a year of today");
        faults.check()?;
    }
    if customer.core.grade != before.from_grade {
        let detail = "the customer's grade has changed since the run; make another run";
        let refused = Problem::conflict("grade_changed", detail)
            .fact("grade", json!(customer.core.grade))
            .fact("from_grade", json!(before.from_grade));
        return Err(refused.into());
    }
    let mut graded = customer.clone();
    graded.core.grade = Some(before.to_grade);
    graded.core.grade_effective_from = Some(from);
    let graded = customer_actions::save(tx, &customer, graded)?;
    let mut after = decided(tx, &before, ProposalState::Approved);
    after.effective_from = Some(from);
    let proposal = store(tx, &before, after)?;
    let was = before.from_grade.map_or("none", |grade| grade.as_str());
    let entry = Entry::here(tx, graded.core.id, "grade_approved", &graded)
        .summary(format!("Grade {} from {from}, before: {was}", before.to_grade))
        .data(json!({ "from_grade": before.from_grade, "to_grade": before.to_grade, "effective_from": from, "proposal_id": id }));
    timeline::add(tx, entry)?;
    Ok(proposal)
}

pub fn reject(tx: &mut Tx<'_>, id: Uuid, input: &GradeRejectionIn) -> Result<GradeProposal> {
    let (_, before) = locked(tx, id, ProposalAction::Reject)?;
    let mut after = decided(tx, &before, ProposalState::Rejected);
    after.reason = Some(input.reason.clone());
    store(tx, &before, after)
}

/// Locks the customer, then the proposal, and looks at its state.
fn locked(tx: &mut Tx<'_>, id: Uuid, action: ProposalAction) -> Result<(Customer, ProposalRow)> {
    let sight = tx.sight();
    let known = queries::proposal(tx, &sight, id)?;
    let customer = customers::queries::lock(tx, known.customer_id)?;
    let row = queries::lock(tx, id)?;
    tx.match_if_given(&row.clone().shown(true))?;
    let allowed = row.state.allowed_actions();
    if !allowed.contains(&action) {
        let allowed: Vec<&str> = allowed.iter().map(|action| action.as_str()).collect();
        return Err(Problem::illegal_transition(action.as_str(), row.state.as_str(), &allowed).into());
    }
    Ok((customer, row))
}

fn decided(tx: &Tx<'_>, before: &ProposalRow, state: ProposalState) -> ProposalRow {
    ProposalRow {
        state,
        decided_by: Some(tx.actor().name.to_string()),
        decided_at: Some(tx.now()),
        revision: before.revision + 1,
        updated_at: tx.now(),
        ..before.clone()
    }
}

fn store(tx: &mut Tx<'_>, before: &ProposalRow, after: ProposalRow) -> Result<GradeProposal> {
    queries::save(tx, &after)?;
    tx.changed(Some(&before.clone().shown(true)), &after.clone().shown(true))?;
    Ok(after.shown(tx.sight().sees_all()))
}
