//! The states of an order and what may be done in each: pure.

use service_kit::Problem;
use uuid::Uuid;

service_kit::text_enum! {
    /// Where an order stands. After `submitted` it is what the ERP reports.
    OrderStatus {
        Draft = "draft",
        Submitted = "submitted",
        /// The ERP has confirmed it: numbered, and reserved as far as stock reaches.
        Accepted = "accepted",
        /// The ERP has refused it, with reasons; final.
        Rejected = "rejected",
        /// Accepted, but waiting in the ERP for a release.
        OnHold = "on_hold",
        PartiallyDelivered = "partially_delivered",
        Delivered = "delivered",
        Closed = "closed",
        Cancelled = "cancelled",
    }
}

service_kit::text_enum! {
    /// Where an order was born.
    OrderOrigin {
        Crm = "crm",
        /// Placed by the back office; read-only here.
        Erp = "erp",
    }
}

service_kit::text_enum! {
    /// What became of a request for cancellation.
    CancellationState { Requested = "requested", Granted = "granted", Refused = "refused" }
}

service_kit::text_enum! {
    /// What a user may do with an order.
    OrderAction {
        Edit = "edit",
        Submit = "submit",
        RequestChange = "request_change",
        Cancel = "cancel",
        Copy = "copy",
    }
}

service_kit::text_enum! {
    /// What is asked to be changed of a submitted order.
    ChangeKind { Quantity = "quantity", Date = "date", Address = "address", Cancel = "cancel" }
}

service_kit::text_enum! {
    /// A sales order's state in the ERP's words; its drafts stay there.
    SalesOrderStatus {
        Confirmed = "confirmed",
        Rejected = "rejected",
        OnHold = "on_hold",
        PartiallyDelivered = "partially_delivered",
        Delivered = "delivered",
        Closed = "closed",
        Cancelled = "cancelled",
    }
}

service_kit::text_enum! {
    /// How much of something is done.
    OrderProgress { None = "none", Partial = "partial", Full = "full" }
}

impl From<SalesOrderStatus> for OrderStatus {
    fn from(reported: SalesOrderStatus) -> OrderStatus {
        match reported {
            SalesOrderStatus::Confirmed => OrderStatus::Accepted,
            SalesOrderStatus::Rejected => OrderStatus::Rejected,
            SalesOrderStatus::OnHold => OrderStatus::OnHold,
            SalesOrderStatus::PartiallyDelivered => OrderStatus::PartiallyDelivered,
            SalesOrderStatus::Delivered => OrderStatus::Delivered,
            SalesOrderStatus::Closed => OrderStatus::Closed,
            SalesOrderStatus::Cancelled => OrderStatus::Cancelled,
        }
    }
}

/// What decides what may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub id: Uuid,
    pub origin: OrderOrigin,
    pub status: OrderStatus,
    /// A cancellation was requested and the ERP has not answered.
    pub cancellation_open: bool,
}

impl State {
    pub fn allowed_actions(self) -> Vec<OrderAction> {
        use OrderAction::{Cancel, Copy, Edit, RequestChange, Submit};
        use OrderStatus as S;
        if self.origin == OrderOrigin::Erp {
            return vec![Copy];
        }
        match self.status {
            S::Draft => vec![Edit, Submit, Cancel, Copy],
            S::Submitted | S::Accepted | S::OnHold | S::PartiallyDelivered if !self.cancellation_open => {
                vec![RequestChange, Cancel, Copy]
            }
            S::Submitted | S::Accepted | S::OnHold | S::PartiallyDelivered => vec![Copy],
            S::Rejected | S::Delivered | S::Closed | S::Cancelled => vec![Copy],
        }
    }

    /// Refuses what may not be done now.
    ///
    /// # Errors
    /// 409 `not_owner` for an order of the back office, else 409 `illegal_transition`.
    pub fn check(self, action: OrderAction) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        if self.origin == OrderOrigin::Erp {
            return Err(Problem::not_owner(
                crate::may::ERP,
                &format!("/v1/sales-orders/{}", self.id),
            ));
        }
        let allowed: Vec<&str> = allowed.into_iter().map(OrderAction::as_str).collect();
        let mut problem = Problem::illegal_transition(action.as_str(), self.status.as_str(), &allowed);
        if action == OrderAction::Cancel && self.cancellation_open {
            problem.detail = "its cancellation is requested already; the ERP has not answered yet".to_owned();
        }
        Err(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::OrderAction::{Cancel, Copy, Edit, Submit};
    use super::*;

    const ALL: [OrderStatus; 9] = [
        OrderStatus::Draft,
        OrderStatus::Submitted,
        OrderStatus::Accepted,
        OrderStatus::Rejected,
        OrderStatus::OnHold,
        OrderStatus::PartiallyDelivered,
        OrderStatus::Delivered,
        OrderStatus::Closed,
        OrderStatus::Cancelled,
    ];

    fn state(status: OrderStatus) -> State {
        State {
            id: Uuid::nil(),
            origin: OrderOrigin::Crm,
            status,
            cancellation_open: false,
        }
    }

    #[test]
    fn only_a_draft_is_edited_or_submitted() {
        for status in ALL {
            let allowed = state(status).allowed_actions();
            assert_eq!(allowed.contains(&Edit), status == OrderStatus::Draft, "{status}");
            assert_eq!(allowed.contains(&Submit), status == OrderStatus::Draft, "{status}");
            assert!(allowed.contains(&Copy), "{status}");
        }
    }

    #[test]
    fn what_has_ended_is_not_cancelled() {
        let ended = ["rejected", "delivered", "closed", "cancelled"];
        for status in ALL {
            let allowed = state(status).check(Cancel).is_ok();
            assert_eq!(allowed, !ended.contains(&status.as_str()), "{status}");
        }
    }

    #[test]
    fn a_cancellation_is_requested_once_at_a_time() {
        for status in ALL.into_iter().filter(|status| *status != OrderStatus::Draft) {
            let waiting = State {
                cancellation_open: true,
                ..state(status)
            };
            let refusal = waiting.check(Cancel).unwrap_err();
            assert_eq!((refusal.status, &*refusal.code), (409, "illegal_transition"));
            assert_eq!(refusal.facts["allowed_actions"], serde_json::json!(["copy"]));
            assert_eq!(refusal.facts["state"], status.as_str());
        }
    }

    #[test]
    fn an_order_of_the_back_office_is_only_copied() {
        for status in ALL {
            let theirs = State {
                origin: OrderOrigin::Erp,
                ..state(status)
            };
            assert_eq!(theirs.allowed_actions(), [Copy]);
            for action in [Edit, Submit, Cancel] {
                let refusal = theirs.check(action).unwrap_err();
                assert_eq!(refusal.code, "not_owner");
                assert_eq!(
                    refusal.facts["owner_path"],
                    "/v1/sales-orders/00000000-0000-0000-0000-000000000000"
                );
            }
        }
    }

    #[test]
    fn a_check_agrees_with_what_is_shown() {
        for status in ALL {
            for action in [Edit, Submit, Cancel, Copy] {
                let shown = state(status).allowed_actions().contains(&action);
                assert_eq!(state(status).check(action).is_ok(), shown, "{action} {status}");
            }
        }
    }
}
