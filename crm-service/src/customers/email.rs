//! E-mail addresses: see the kit.

pub use service_kit::Email;
