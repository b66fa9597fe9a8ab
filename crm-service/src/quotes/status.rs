//! The states of a quote and what may be done in each: pure.

use service_kit::{Problem, text_enum};

text_enum! {
    /// Where a version of a quote stands.
    QuoteState {
        Draft = "draft",
        /// Waits for somebody who may allow its discount.
        InApproval = "in_approval",
        Sent = "sent",
        Accepted = "accepted",
        Declined = "declined",
        /// Its last day has passed.
        Expired = "expired",
        /// A newer version took its place.
        Superseded = "superseded",
    }
}

text_enum! {
    /// What may be done with a quote.
    QuoteAction {
        Edit = "edit",
        RequestApproval = "request_approval",
        Approve = "approve",
        Reject = "reject",
        Withdraw = "withdraw",
        Send = "send",
        Accept = "accept",
        Decline = "decline",
        NewVersion = "new_version",
        Assign = "assign",
    }
}

text_enum! {
    /// What became of a request for approval.
    ApprovalState { Open = "open", Approved = "approved", Rejected = "rejected", Withdrawn = "withdrawn" }
}

/// What decides what may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub state: QuoteState,
    /// There is a newer version.
    pub superseded: bool,
}

impl Standing {
    pub fn allowed_actions(self) -> &'static [QuoteAction] {
        use QuoteAction::{
            Accept, Approve, Assign, Decline, Edit, NewVersion, Reject, RequestApproval, Send, Withdraw,
        };
        match self.state {
            QuoteState::Draft => &[Edit, RequestApproval, Send, Assign],
            QuoteState::InApproval => &[Approve, Reject, Withdraw, Assign],
            QuoteState::Sent => &[Accept, Decline, NewVersion, Assign],
            QuoteState::Declined | QuoteState::Expired if !self.superseded => &[NewVersion, Assign],
            QuoteState::Declined | QuoteState::Expired | QuoteState::Accepted | QuoteState::Superseded => &[Assign],
        }
    }

    /// Refuses what may not be done now.
    ///
    /// # Errors
    /// 409 `illegal_transition`.
    pub fn check(self, action: QuoteAction) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        let allowed: Vec<&str> = allowed.iter().map(|action| action.as_str()).collect();
        Err(Problem::illegal_transition(
            action.as_str(),
            self.state.as_str(),
            &allowed,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sent_quote_is_accepted_and_only_the_newest_version_has_a_successor() {
        use QuoteState::{Accepted, Declined, Draft, Expired, InApproval, Sent, Superseded};
        for state in [Draft, InApproval, Sent, Accepted, Declined, Expired, Superseded] {
            for superseded in [false, true] {
                let standing = Standing { state, superseded };
                for action in [QuoteAction::Accept, QuoteAction::Decline] {
                    assert_eq!(standing.check(action).is_ok(), state == Sent, "{standing:?}");
                }
                for action in [QuoteAction::Edit, QuoteAction::Send] {
                    assert_eq!(standing.check(action).is_ok(), state == Draft, "{standing:?}");
                }
                let follows = state == Sent || (matches!(state, Declined | Expired) && !superseded);
                assert_eq!(standing.check(QuoteAction::NewVersion).is_ok(), follows, "{standing:?}");
                assert!(standing.check(QuoteAction::Assign).is_ok());
            }
        }
        let refusal = Standing {
            state: Expired,
            superseded: false,
        }
        .check(QuoteAction::Accept)
        .unwrap_err();
        assert_eq!((refusal.status, &*refusal.code), (409, "illegal_transition"));
        assert_eq!(
            refusal.facts["allowed_actions"],
            serde_json::json!(["new_version", "assign"])
        );
    }
}
