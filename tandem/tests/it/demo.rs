//! A company loaded into a running stack, compared with its files, and not loaded twice.

use crate::support::{small, small_but};
use crate::up::{START, Up, directory, wait_for};
use rustix::process::Signal;
use std::path::Path;
use std::process::{Command, Output};
use tandem::demo::Company;
use tandem::demo::memory::Memory;
use tandem::stack::Stack;
use tandem::verify::{self, Report};

fn verify(directory: &Path, company: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("verify").arg(company).env("TANDEM_DIR", directory);
    command.output().unwrap()
}

fn loaded(directory: &Path) -> Memory {
    wait_for("the company", START, || {
        let memory = Memory::read(directory).unwrap()?;
        memory.loaded.is_some().then_some(memory)
    })
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

fn failed_checks(report: &Report) -> Vec<&str> {
    let failed = report.checks.iter().filter(|check| !check.is_ok());
    failed.map(|check| check.name).collect()
}

#[test]
fn a_company_is_loaded_once_and_found_as_its_files_say() {
    let (parent, company) = (directory(), small());
    let path = parent.path().join("stack");
    let demo = ["--demo", company.path().to_str().unwrap()];
    let up = Up::start(&path, &demo);
    let first = loaded(&path);
    assert_eq!(
        first.contents,
        "1 customers, 2 products, 2 orders with 3 lines, worth 234.90 USD"
    );
    assert_eq!(first.round_trip.unwrap().orders, 2);
    let output = verify(&path, company.path());
    assert!(output.status.success(), "{}", text(&output.stdout));

    // other figures of the same company are told line by line
    let changed = small_but("products.csv", "18,39", "18,38");
    let output = verify(&path, changed.path());
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    for system in ["ERP", "CRM"] {
        assert!(
            said.contains(&format!("product 1 (Chai): 39 in the {system}, not 38")),
            "{said}"
        );
    }
    assert!(up.stop(Signal::INT).0.success());

    let up = Up::start(&path, &demo);
    let output = verify(&path, company.path());
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert_eq!(loaded(&path), first);
    assert!(up.stop(Signal::INT).0.success());

    // the stack is this company's
    for (other, said) in [
        (small_but("employees.csv", "Davolio", "Fuller"), "can hold no other"),
        (changed, "files that have changed since"),
    ] {
        let mut command = Up::command(&path, &["--demo", other.path().to_str().unwrap()]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn a_load_goes_on_where_it_was_killed() {
    let (parent, company) = (directory(), small());
    let path = parent.path().join("stack");
    let demo = ["--demo", company.path().to_str().unwrap()];
    let up = Up::start(&path, &demo);
    wait_for("the start of the load", START, || Memory::read(&path).unwrap());
    up.stop(Signal::KILL);
    let up = Up::start(&path, &demo);
    loaded(&path);
    let (stack, company) = (Stack::read(&path).unwrap(), Company::read(company.path()).unwrap());
    let report = verify::check(&stack, &company).await.unwrap();
    assert!(report.is_ok(), "{report}");
    assert!(up.stop(Signal::INT).0.success());
}

#[tokio::test]
async fn without_a_demo_nothing_is_made() {
    let parent = directory();
    let path = parent.path().join("stack");
    let up = Up::start(&path, &["--no-demo"]);
    let stack = Up::stack(&path);
    let report = verify::check(&stack, &Company::shipped().unwrap()).await.unwrap();
    let failed = failed_checks(&report);
    assert_eq!(
        failed.len(),
        report.checks.len() - 1,
        "only the dead letters are as they should: {failed:?}"
    );
    for check in &report.checks {
        assert!(["0", "0.00"].contains(&check.erp.as_str()), "{report}");
    }
    let http = tandem::api::http_client().unwrap();
    let erp = tandem::api::Api::new(&http, &stack.erp);
    for list in [
        "products",
        "categories",
        "price-lists",
        "warehouses",
        "customers",
        "sales-orders",
    ] {
        let items: Vec<serde_json::Value> = erp.list(&format!("/v1/{list}")).await.unwrap();
        assert!(items.is_empty(), "{list}: {items:?}");
    }
    assert!(Memory::read(&path).unwrap().is_none());
    assert!(up.stop(Signal::INT).0.success());
}

#[test]
fn verify_needs_a_running_stack() {
    let (parent, company) = (directory(), small());
    let output = verify(parent.path(), company.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("start it with tandem up"),
        "{}",
        text(&output.stderr)
    );
}
