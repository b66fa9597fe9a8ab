use crm_service::SERVICE;
use diesel::{Connection, PgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use service_kit::testing::TestDatabase;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

#[test]
fn every_migration_can_be_taken_back_and_run_again() {
    let database = TestDatabase::of(&SERVICE);
    let mut conn = PgConnection::establish(&database.url).unwrap();
    let count = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
        .unwrap()
        .count();
    for _ in 0..count {
        conn.revert_last_migration(MIGRATIONS).unwrap();
    }
    assert_eq!(conn.pending_migrations(MIGRATIONS).unwrap().len(), count);
    assert_eq!(conn.run_pending_migrations(MIGRATIONS).unwrap().len(), count);
}
