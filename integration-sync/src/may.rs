//! The permissions of the sync, as types: what a handler needs stands in its signature.

service_kit::permissions! {
    ReadFlows = "flows:read",
    /// Pause, resume, resynchronise.
    ManageFlows = "flows:manage",
    ReadDeadLetters = "dead_letters:read",
    /// Retry and discard.
    ManageDeadLetters = "dead_letters:manage",
}
