use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::{Connection, PgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use erp_service::app::SERVICE;
use erp_service::migrations::ERP;
use service_kit::migrations::KIT;
use service_kit::testing::TestDatabase;

fn latest_first(source: &EmbeddedMigrations) -> Vec<Box<dyn Migration<Pg>>> {
    let mut migrations = MigrationSource::<Pg>::migrations(source).unwrap();
    migrations.sort_by_key(|migration| migration.name().version().to_string());
    migrations.reverse();
    migrations
}

#[test]
fn every_migration_goes_down_and_up_again() {
    let database = TestDatabase::of(&SERVICE);
    let mut conn = PgConnection::establish(&database.url).unwrap();
    for migration in latest_first(&ERP).iter().chain(&latest_first(&KIT)) {
        let version = conn.revert_migration(migration);
        assert!(version.is_ok(), "{} does not go down: {version:?}", migration.name());
    }
    service_kit::db::migrate(&database.url, &[&KIT, &ERP]).unwrap();
}
