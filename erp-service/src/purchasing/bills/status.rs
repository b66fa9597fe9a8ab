//! The states of a supplier bill and what may be done in each: pure.

use service_kit::{Problem, text_enum};

text_enum! {
    SupplierBillStatus {
        Draft = "draft",
        MatchHeld = "match_held",
        Posted = "posted",
        Reversed = "reversed",
        Cancelled = "cancelled",
    }
}

text_enum! {
    SupplierBillAction {
        Edit = "edit",
        Post = "post",
        Release = "release",
        Reverse = "reverse",
        Cancel = "cancel",
    }
}

impl SupplierBillStatus {
    /// The legal transitions.
    pub fn allowed_actions(self) -> &'static [SupplierBillAction] {
        use SupplierBillAction::{Cancel, Edit, Post, Release, Reverse};
        match self {
            SupplierBillStatus::Draft => &[Edit, Post, Cancel],
            // Goods may have come since: posting matches again.
            SupplierBillStatus::MatchHeld => &[Edit, Post, Release, Cancel],
            SupplierBillStatus::Posted => &[Reverse],
            SupplierBillStatus::Reversed | SupplierBillStatus::Cancelled => &[],
        }
    }

    /// # Errors
    /// 409 `illegal_transition` with the current status and what is open.
    pub fn check(self, action: SupplierBillAction) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        let names: Vec<&str> = allowed.iter().map(|action| action.as_str()).collect();
        Err(Problem::illegal_transition(action.as_str(), self.as_str(), &names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_held_is_released_and_only_what_is_posted_reversed() {
        for status in [
            SupplierBillStatus::Draft,
            SupplierBillStatus::MatchHeld,
            SupplierBillStatus::Posted,
            SupplierBillStatus::Reversed,
            SupplierBillStatus::Cancelled,
        ] {
            let may = |action| status.check(action).is_ok();
            assert_eq!(
                may(SupplierBillAction::Release),
                status == SupplierBillStatus::MatchHeld
            );
            assert_eq!(may(SupplierBillAction::Reverse), status == SupplierBillStatus::Posted);
        }
    }
}
