//! The states of a purchase order and what may be done in each: pure.

use service_kit::{Problem, text_enum};

text_enum! {
    Lifecycle {
        Draft = "draft",
        AwaitingApproval = "awaiting_approval",
        Ordered = "ordered",
        Closed = "closed",
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// How much of the order has come.
    ReceiptProgress { None = "none", Partial = "partial", Full = "full" }
}

text_enum! {
    /// One word for lists, derived from lifecycle and receipt.
    PurchaseOrderStatus {
        Draft = "draft",
        AwaitingApproval = "awaiting_approval",
        Ordered = "ordered",
        PartiallyReceived = "partially_received",
        Received = "received",
        Closed = "closed",
        Cancelled = "cancelled",
    }
}

text_enum! {
    PurchaseOrderAction {
        Edit = "edit",
        Submit = "submit",
        Approve = "approve",
        Reject = "reject",
        Receive = "receive",
        Close = "close",
        Cancel = "cancel",
    }
}

/// What decides which actions are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub lifecycle: Lifecycle,
    pub receipt: ReceiptProgress,
}

impl State {
    pub fn status(self) -> PurchaseOrderStatus {
        use PurchaseOrderStatus as Status;
        match (self.lifecycle, self.receipt) {
            (Lifecycle::Draft, _) => Status::Draft,
            (Lifecycle::AwaitingApproval, _) => Status::AwaitingApproval,
            (Lifecycle::Closed, _) => Status::Closed,
            (Lifecycle::Cancelled, _) => Status::Cancelled,
            (Lifecycle::Ordered, ReceiptProgress::None) => Status::Ordered,
            (Lifecycle::Ordered, ReceiptProgress::Partial) => Status::PartiallyReceived,
            (Lifecycle::Ordered, ReceiptProgress::Full) => Status::Received,
        }
    }

    /// The legal transitions.
    pub fn allowed_actions(self) -> &'static [PurchaseOrderAction] {
        use PurchaseOrderAction::{Approve, Cancel, Close, Edit, Receive, Reject, Submit};
        match (self.lifecycle, self.receipt) {
            (Lifecycle::Draft, _) => &[Edit, Submit, Cancel],
            (Lifecycle::AwaitingApproval, ReceiptProgress::None) => &[Edit, Approve, Reject, Cancel],
            (Lifecycle::AwaitingApproval, _) => &[Edit, Approve, Reject],
            (Lifecycle::Ordered, ReceiptProgress::None) => &[Edit, Receive, Close, Cancel],
            (Lifecycle::Ordered, _) => &[Edit, Receive, Close],
            (Lifecycle::Closed | Lifecycle::Cancelled, _) => &[],
        }
    }

    /// # Errors
    /// 409 `illegal_transition` with the current status and what is open.
    pub fn check(self, action: PurchaseOrderAction) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        let names: Vec<&str> = allowed.iter().map(|action| action.as_str()).collect();
        Err(Problem::illegal_transition(
            action.as_str(),
            self.status().as_str(),
            &names,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(lifecycle: Lifecycle, receipt: ReceiptProgress) -> State {
        State { lifecycle, receipt }
    }

    #[test]
    fn nothing_is_received_before_the_approval_or_after_the_end() {
        for lifecycle in [
            Lifecycle::Draft,
            Lifecycle::AwaitingApproval,
            Lifecycle::Closed,
            Lifecycle::Cancelled,
        ] {
            for receipt in [ReceiptProgress::None, ReceiptProgress::Partial, ReceiptProgress::Full] {
                assert!(state(lifecycle, receipt).check(PurchaseOrderAction::Receive).is_err());
            }
        }
    }

    #[test]
    fn what_has_come_is_not_cancelled() {
        for lifecycle in [Lifecycle::AwaitingApproval, Lifecycle::Ordered] {
            assert!(
                state(lifecycle, ReceiptProgress::Partial)
                    .check(PurchaseOrderAction::Cancel)
                    .is_err()
            );
            assert!(
                state(lifecycle, ReceiptProgress::None)
                    .check(PurchaseOrderAction::Cancel)
                    .is_ok()
            );
        }
    }

    #[test]
    fn the_end_offers_nothing() {
        for lifecycle in [Lifecycle::Closed, Lifecycle::Cancelled] {
            assert!(state(lifecycle, ReceiptProgress::None).allowed_actions().is_empty());
        }
        let problem = state(Lifecycle::Draft, ReceiptProgress::None)
            .check(PurchaseOrderAction::Approve)
            .unwrap_err();
        assert_eq!((problem.status, &problem.facts["state"]), (409, &"draft".into()));
    }
}
