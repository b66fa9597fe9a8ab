//! The states of a lead and what may be done in each: pure.

use service_kit::{Problem, text_enum};

text_enum! {
    /// Where a lead stands.
    LeadState {
        New = "new",
        Working = "working",
        Qualified = "qualified",
        Disqualified = "disqualified",
        Converted = "converted",
    }
}

text_enum! {
    /// Why nothing becomes of a lead.
    DisqualifiedReason {
        NoNeed = "no_need",
        NoBudget = "no_budget",
        NotReachable = "not_reachable",
        WrongContact = "wrong_contact",
        Competitor = "competitor",
        Duplicate = "duplicate",
        Spam = "spam",
        Other = "other",
    }
}

text_enum! {
    /// What may be done with a lead.
    LeadAction {
        Edit = "edit",
        Touch = "touch",
        Start = "start",
        Qualify = "qualify",
        Disqualify = "disqualify",
        Convert = "convert",
        Reopen = "reopen",
        Assign = "assign",
    }
}

impl LeadState {
    /// Those in which somebody who comes again touches the lead.
    pub const OPEN: [LeadState; 3] = [LeadState::New, LeadState::Working, LeadState::Qualified];

    pub fn is_open(self) -> bool {
        Self::OPEN.contains(&self)
    }

    pub fn allowed_actions(self) -> &'static [LeadAction] {
        use LeadAction::{Assign, Convert, Disqualify, Edit, Qualify, Reopen, Start, Touch};
        match self {
            LeadState::New => &[Edit, Touch, Start, Qualify, Disqualify, Assign],
            LeadState::Working => &[Edit, Touch, Qualify, Disqualify, Assign],
            LeadState::Qualified => &[Edit, Touch, Convert, Disqualify, Reopen, Assign],
            LeadState::Disqualified => &[Reopen, Assign],
            LeadState::Converted => &[],
        }
    }

    /// Refuses what may not be done now.
    ///
    /// # Errors
    /// 409 `illegal_transition`.
    pub fn check(self, action: LeadAction) -> Result<(), Problem> {
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
    fn only_a_qualified_lead_is_converted_and_nothing_follows() {
        for state in LeadState::OPEN.into_iter().chain([LeadState::Disqualified]) {
            assert_eq!(
                state.check(LeadAction::Convert).is_ok(),
                state == LeadState::Qualified,
                "{state}"
            );
            assert!(state.check(LeadAction::Assign).is_ok());
        }
        let refusal = LeadState::Converted.check(LeadAction::Convert).unwrap_err();
        assert_eq!((refusal.status, &*refusal.code), (409, "illegal_transition"));
        assert_eq!(refusal.facts["allowed_actions"], serde_json::json!([]));
    }
}
