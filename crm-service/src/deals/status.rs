//! The states of a deal and what may be done in each: pure.

use service_kit::{Problem, text_enum};

text_enum! {
    /// Where a deal stands.
    DealState { Open = "open", Won = "won", Lost = "lost" }
}

text_enum! {
    /// What may be done with a deal.
    DealAction {
        Edit = "edit",
        Move = "move",
        CompleteStep = "complete_step",
        ChangeVersion = "change_version",
        Win = "win",
        Lose = "lose",
        Reopen = "reopen",
        Assign = "assign",
    }
}

impl DealState {
    pub fn allowed_actions(self) -> &'static [DealAction] {
        use DealAction::{Assign, ChangeVersion, CompleteStep, Edit, Lose, Move, Reopen, Win};
        match self {
            DealState::Open => &[Edit, Move, CompleteStep, ChangeVersion, Win, Lose, Assign],
            DealState::Won | DealState::Lost => &[Reopen, Assign],
        }
    }

    /// Refuses what may not be done now.
    ///
    /// # Errors
    /// 409 `illegal_transition`.
    pub fn check(self, action: DealAction) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        let allowed: Vec<&str> = allowed.iter().map(|action| action.as_str()).collect();
        Err(Problem::illegal_transition(action.as_str(), self.as_str(), &allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_deal_is_closed_and_a_closed_one_only_reopened_or_assigned() {
        use DealAction::{Assign, ChangeVersion, CompleteStep, Edit, Lose, Move, Reopen, Win};
        for action in [Edit, Move, CompleteStep, ChangeVersion, Win, Lose] {
            assert!(DealState::Open.check(action).is_ok(), "{action}");
            for closed in [DealState::Won, DealState::Lost] {
                let refusal = closed.check(action).unwrap_err();
                assert_eq!((refusal.status, &*refusal.code), (409, "illegal_transition"));
                assert_eq!(refusal.facts["state"], closed.as_str());
                assert_eq!(
                    refusal.facts["allowed_actions"],
                    serde_json::json!(["reopen", "assign"])
                );
            }
        }
        assert!(DealState::Open.check(Reopen).is_err());
        for state in [DealState::Open, DealState::Won, DealState::Lost] {
            assert!(state.check(Assign).is_ok());
            assert_eq!(state.check(Reopen).is_ok(), state != DealState::Open);
        }
    }
}
