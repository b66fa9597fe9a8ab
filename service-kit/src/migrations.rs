//! The tables that every service has.

use diesel_migrations::{EmbeddedMigrations, embed_migrations};

/// Keys, stored answers, audit trail, event feed.
pub static KIT: EmbeddedMigrations = embed_migrations!("migrations");
