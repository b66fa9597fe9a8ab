//! The ERP's own tables, in addition to the kit's.

use diesel_migrations::{EmbeddedMigrations, embed_migrations};

pub static ERP: EmbeddedMigrations = embed_migrations!("migrations");
