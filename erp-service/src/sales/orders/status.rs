//! The states of a sales order and what may be done in each: pure.

use serde::{Deserialize, Serialize};
use service_kit::Problem;
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    Draft,
    Confirmed,
    Rejected,
    Closed,
    Cancelled,
}

/// How much of something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    None,
    Partial,
    Full,
}

/// One word for lists, derived from lifecycle, delivery and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Draft,
    Rejected,
    OnHold,
    Confirmed,
    PartiallyDelivered,
    Delivered,
    Closed,
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Edit,
    Confirm,
    Amend,
    Deliver,
    Hold,
    Release,
    Close,
    Cancel,
}

/// What decides which actions are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    pub lifecycle: Lifecycle,
    pub delivery: Progress,
    pub held: bool,
}

macro_rules! names {
    ($kind:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $kind {
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

names!(Lifecycle { Draft = "draft", Confirmed = "confirmed", Rejected = "rejected", Closed = "closed", Cancelled = "cancelled" });
names!(Progress { None = "none", Partial = "partial", Full = "full" });
names!(Status {
    Draft = "draft", Rejected = "rejected", OnHold = "on_hold", Confirmed = "confirmed",
    PartiallyDelivered = "partially_delivered", Delivered = "delivered", Closed = "closed", Cancelled = "cancelled",
});
names!(Action {
    Edit = "edit", Confirm = "confirm", Amend = "amend", Deliver = "deliver", Hold = "hold", Release = "release", Close = "close", Cancel = "cancel",
});

impl State {
    pub fn status(self) -> Status {
        match (self.lifecycle, self.delivery) {
            (Lifecycle::Draft, _) => Status::Draft,
            (Lifecycle::Rejected, _) => Status::Rejected,
            (Lifecycle::Closed, _) => Status::Closed,
            (Lifecycle::Cancelled, _) => Status::Cancelled,
            (Lifecycle::Confirmed, Progress::Full) => Status::Delivered,
            (Lifecycle::Confirmed, _) if self.held => Status::OnHold,
            (Lifecycle::Confirmed, Progress::Partial) => Status::PartiallyDelivered,
            (Lifecycle::Confirmed, Progress::None) => Status::Confirmed,
        }
    }

    /// The legal transitions.
    pub fn allowed_actions(self) -> &'static [Action] {
        use Action::{Amend, Cancel, Close, Confirm, Deliver, Edit, Hold, Release};
        match (self.status(), self.delivery) {
            (Status::Draft, _) => &[Edit, Confirm, Cancel],
            (Status::Confirmed, _) => &[Deliver, Amend, Hold, Close, Cancel],
            (Status::PartiallyDelivered, _) => &[Deliver, Amend, Hold, Close],
            (Status::OnHold, Progress::None) => &[Release, Amend, Close, Cancel],
            (Status::OnHold, _) => &[Release, Amend, Close],
            (Status::Delivered, _) => &[Amend, Close],
            (Status::Rejected | Status::Closed | Status::Cancelled, _) => &[],
        }
    }

    /// # Errors
    /// 409 `illegal_transition` with the current status and what is open.
    pub fn check(self, action: Action) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        let names: Vec<&str> = allowed.iter().map(|action| action.name()).collect();
        Err(Problem::illegal_transition(action.name(), self.status().name(), &names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(lifecycle: Lifecycle, delivery: Progress, held: bool) -> State {
        State {
            lifecycle,
            delivery,
            held,
        }
    }

    #[test]
    fn nothing_is_cancelled_once_something_has_shipped() {
        for held in [false, true] {
            for delivery in [Progress::Partial, Progress::Full] {
                let state = state(Lifecycle::Confirmed, delivery, held);
                assert!(state.check(Action::Cancel).is_err(), "{state:?}");
            }
        }
    }

    #[test]
    fn what_is_on_hold_does_not_ship() {
        for delivery in [Progress::None, Progress::Partial] {
            assert!(
                state(Lifecycle::Confirmed, delivery, true)
                    .check(Action::Deliver)
                    .is_err()
            );
            assert!(
                state(Lifecycle::Confirmed, delivery, true)
                    .check(Action::Release)
                    .is_ok()
            );
        }
    }

    #[test]
    fn final_states_offer_nothing() {
        for lifecycle in [Lifecycle::Rejected, Lifecycle::Closed, Lifecycle::Cancelled] {
            assert!(state(lifecycle, Progress::None, false).allowed_actions().is_empty());
        }
        let problem = state(Lifecycle::Rejected, Progress::None, false)
            .check(Action::Confirm)
            .unwrap_err();
        assert_eq!((problem.status, problem.code.as_str()), (409, "illegal_transition"));
        assert_eq!(problem.facts["state"], "rejected");
    }

    #[test]
    fn a_full_delivery_is_delivered_even_on_hold() {
        assert_eq!(
            state(Lifecycle::Confirmed, Progress::Full, true).status(),
            Status::Delivered
        );
    }
}
