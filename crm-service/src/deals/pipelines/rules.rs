//! What the stages of a version must fulfil: pure.

use super::model::{StageIn, StepEvidence};
use service_kit::Faults;
use std::collections::{HashMap, HashSet};

/// Names every fault of the stages, with its place in the body.
pub fn check(stages: &[StageIn], faults: &mut Faults) {
    let mut positions: HashMap<&str, usize> = HashMap::new();
    let (mut names, mut steps) = (HashSet::new(), HashSet::new());
    for (index, stage) in stages.iter().enumerate() {
        if positions.contains_key(stage.key.as_str()) {
            faults.add(
                format!("/stages/{index}/key"),
                "duplicate",
                "an earlier stage has this key",
            );
        } else {
            positions.insert(&stage.key, index);
        }
        if !names.insert(stage.name.trim()) {
            faults.add(
                format!("/stages/{index}/name"),
                "duplicate",
                "an earlier stage has this name",
            );
        }
        for (place, step) in stage.steps.iter().enumerate() {
            let pointer = format!("/stages/{index}/steps/{place}");
            if !steps.insert(step.key.as_str()) {
                faults.add(
                    format!("{pointer}/key"),
                    "duplicate",
                    "an earlier step of the pipeline has this key",
                );
            }
            match (step.evidence, step.field) {
                (StepEvidence::Field, None) => {
                    faults.add(
                        format!("{pointer}/field"),
                        "required",
                        "say which field is to be filled",
                    );
                }
                (StepEvidence::LoggedCall | StepEvidence::Document, Some(_)) => {
                    faults.add(
                        format!("{pointer}/field"),
                        "not_allowed",
                        "only the evidence `field` names a field",
                    );
                }
                _ => {}
            }
        }
    }
    for (index, stage) in stages.iter().enumerate() {
        let mut named = HashSet::new();
        for (place, next) in stage.next_stages.iter().flatten().enumerate() {
            let pointer = format!("/stages/{index}/next_stages/{place}");
            if next.0 == stage.key {
                faults.add(pointer, "same_stage", "a stage does not lead to itself");
            } else if !positions.contains_key(next.0.as_str()) {
                faults.add(pointer, "unknown_stage", "there is no stage with this key");
            } else if !named.insert(&next.0) {
                faults.add(pointer, "duplicate", "it is named already");
            }
        }
    }
    let reached = reached(stages, &positions);
    for (index, stage) in stages.iter().enumerate() {
        // A second stage of the same key is at fault for that.
        if positions.get(stage.key.as_str()) == Some(&index) && !reached.contains(&index) {
            faults.add(
                format!("/stages/{index}"),
                "unreachable_stage",
                "no way leads here from the first stage",
            );
        }
    }
}

/// The keys of the stages that may follow the one at `index`: those that it names, else the next one.
pub fn next_stages(stages: &[StageIn], index: usize) -> Vec<String> {
    let following = || stages.get(index + 1).map(|stage| stage.key.clone());
    match stages.get(index).and_then(|stage| stage.next_stages.as_ref()) {
        Some(named) => named.iter().map(|key| key.0.clone()).collect(),
        None => following().into_iter().collect(),
    }
}

fn reached(stages: &[StageIn], positions: &HashMap<&str, usize>) -> HashSet<usize> {
    let (mut reached, mut open) = (HashSet::new(), vec![0]);
    while let Some(index) = open.pop() {
        if reached.insert(index) {
            let next = next_stages(stages, index);
            open.extend(next.iter().filter_map(|key| positions.get(key.as_str()).copied()));
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::super::model::{DealField, StageKey, StageStep};
    use super::*;

    fn stage(key: &str, next: Option<&[&str]>) -> StageIn {
        StageIn {
            key: key.to_owned(),
            name: key.to_uppercase(),
            probability: "0.5".parse().unwrap(),
            ageing_days: None,
            next_stages: next.map(|keys| keys.iter().map(|key| StageKey((*key).to_owned())).collect()),
            steps: Vec::new(),
        }
    }

    fn step(key: &str, evidence: StepEvidence, field: Option<DealField>) -> StageStep {
        StageStep {
            key: key.to_owned(),
            name: key.to_owned(),
            evidence,
            field,
            optional: false,
            on_loss: false,
        }
    }

    fn faults(stages: &[StageIn]) -> Vec<(String, String)> {
        let mut faults = Faults::default();
        check(stages, &mut faults);
        let problem = faults.check().err();
        let errors = problem.into_iter().flat_map(|problem| problem.errors);
        errors.map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn stages_lead_to_the_following_one_unless_they_say_otherwise() {
        let stages = [stage("a", None), stage("b", Some(&["a", "c"])), stage("c", None)];
        assert_eq!(faults(&stages), []);
        assert_eq!(next_stages(&stages, 0), ["b"]);
        assert_eq!(next_stages(&stages, 1), ["a", "c"]);
        assert_eq!(next_stages(&stages, 2), [""; 0]);
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let mut first = stage("a", Some(&["a", "nowhere"]));
        first.steps = vec![
            step("call", StepEvidence::LoggedCall, Some(DealField::Amount)),
            step("filled", StepEvidence::Field, None),
        ];
        let mut second = stage("a", Some(&[]));
        second.steps = vec![step("call", StepEvidence::Document, None)];
        let third = stage("c", None);
        let found = faults(&[first, second, third]);
        let expected = [
            ("/stages/0/steps/0/field", "not_allowed"),
            ("/stages/0/steps/1/field", "required"),
            ("/stages/1/key", "duplicate"),
            ("/stages/1/name", "duplicate"),
            ("/stages/1/steps/0/key", "duplicate"),
            ("/stages/0/next_stages/0", "same_stage"),
            ("/stages/0/next_stages/1", "unknown_stage"),
            ("/stages/2", "unreachable_stage"),
        ];
        assert_eq!(
            found,
            expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
        );
    }
}
