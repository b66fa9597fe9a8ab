//! Folders that cannot be loaded: every fault is named, with its place.

use crate::support::{small, small_but};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tandem::demo::Company;

/// What is said of a folder, a fault a line.
fn faults(folder: &Path) -> Vec<String> {
    let failure = Company::read(folder).unwrap_err();
    let text = failure.with_causes();
    text.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

fn fault_of(file: &str, from: &str, to: &str) -> String {
    let folder = small_but(file, from, to);
    let faults = faults(folder.path());
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].clone()
}

#[test]
fn a_cell_of_the_wrong_kind() {
    for (file, from, to, fault) in [
        (
            "products.csv",
            "18,39",
            "18,many",
            "products.csv, line 2, units_in_stock: \"many\" is not a whole number from 0 on",
        ),
        (
            "products.csv",
            "18,39",
            "18,-1",
            "products.csv, line 2, units_in_stock: \"-1\" is not a whole number from 0 on",
        ),
        (
            "products.csv",
            "18,39",
            "0,39",
            "products.csv, line 2, unit_price: \"0\" is not a price above 0, such as 18.9",
        ),
        (
            "products.csv",
            "18,39",
            "1e1,39",
            "products.csv, line 2, unit_price: \"1e1\" is not a price above 0, such as 18.9",
        ),
        (
            "products.csv",
            "18,39",
            "18.005,39",
            "products.csv, line 2, unit_price: \"18.005\" is not a price above 0, such as 18.9",
        ),
        (
            "products.csv",
            "10,0\n",
            "10,yes\n",
            "products.csv, line 2, discontinued: \"yes\" is not 0 or 1",
        ),
        (
            "order_lines.csv",
            "12,0.0",
            "0,0.0",
            "order_lines.csv, line 2, quantity: \"0\" is not a whole number from 1 on",
        ),
        (
            "order_lines.csv",
            "5,0.05",
            "5,1.5",
            "order_lines.csv, line 4, discount: \"1.5\" is not a fraction from 0.0 to 1.0",
        ),
        (
            "employees.csv",
            "1968-12-08",
            "1968-13-08",
            "employees.csv, line 2, birth_date: \"1968-13-08\" is not a date such as 1996-07-04",
        ),
        (
            "orders.csv",
            "1996-07-16 00:00:00.000",
            "1996-07-16 09:00:00.000",
            "orders.csv, line 2, shipped_date: \"1996-07-16 09:00:00.000\" is not a timestamp at midnight such as 1996-07-04 00:00:00.000",
        ),
        (
            "customers.csv",
            "Germany",
            "Atlantis",
            "customers.csv, line 2, country: \"Atlantis\" is no country that ISO 3166-1 knows in English",
        ),
        (
            "customers.csv",
            "Alfreds Futterkiste",
            " ",
            "customers.csv, line 2, company_name: is empty",
        ),
        (
            "customers.csv",
            "Alfreds Futterkiste",
            "a\0b",
            "customers.csv, line 2, company_name: holds a control character",
        ),
    ] {
        assert_eq!(fault_of(file, from, to), fault);
    }
}

#[test]
fn one_fault_does_not_bring_forth_others() {
    let fault = fault_of("products.csv", "Chang,1,1", "Chang,one,1");
    assert_eq!(
        fault,
        "products.csv, line 3, supplier_id: \"one\" is not a whole number from 0 on"
    );
    let fault = fault_of("orders.csv", "10,ALFKI", "10,");
    assert_eq!(fault, "orders.csv, line 2, customer_id: is empty");
}

#[test]
fn a_name_that_is_too_long() {
    let fault = fault_of("products.csv", "Chai", &"x".repeat(201));
    assert_eq!(fault, "products.csv, line 2, name: is longer than 200 characters");
}

#[test]
fn a_mention_of_what_is_not_there() {
    for (file, from, to, fault) in [
        (
            "orders.csv",
            "10,ALFKI",
            "10,ANATR",
            "orders.csv, line 2, customer_id: ANATR is not in customers.csv",
        ),
        (
            "orders.csv",
            ",1,32.38",
            ",7,32.38",
            "orders.csv, line 2, ship_via: 7 is not in shippers.csv",
        ),
        (
            "products.csv",
            "Chang,1,1",
            "Chang,2,1",
            "products.csv, line 3, supplier_id: 2 is not in suppliers.csv",
        ),
        (
            "products.csv",
            "Chang,1,1",
            "Chang,1,2",
            "products.csv, line 3, category_id: 2 is not in categories.csv",
        ),
        (
            "order_lines.csv",
            "10,2,",
            "10,3,",
            "order_lines.csv, line 3, product_id: 3 is not in products.csv",
        ),
        (
            "employees.csv",
            "555-9857,",
            "555-9857,4",
            "employees.csv, line 2, reports_to: 4 is not in employees.csv",
        ),
    ] {
        assert_eq!(fault_of(file, from, to), fault);
    }
}

#[test]
fn what_must_stand_there_once() {
    for (file, from, to, fault) in [
        (
            "products.csv",
            "2,Chang",
            "1,Chang",
            "products.csv, line 3, product_id: 1 stands there twice",
        ),
        (
            "products.csv",
            "2,Chang",
            "2,Chai",
            "products.csv, line 3, name: \"Chai\" stands there twice",
        ),
        (
            "order_lines.csv",
            "10,2,",
            "10,1,",
            "order_lines.csv, line 3, product_id: 1 stands twice in order 10",
        ),
    ] {
        let folder = small_but(file, from, to);
        let faults = faults(folder.path());
        assert!(faults.contains(&fault.to_owned()), "{faults:#?}");
    }
}

#[test]
fn an_order_without_lines() {
    let fault = fault_of("order_lines.csv", "11,1,14,5,0.05\n", "");
    assert_eq!(fault, "orders.csv, line 3: order 11 has no lines");
}

#[test]
fn files_of_another_shape() {
    let fault = fault_of(
        "shippers.csv",
        "shipper_id,company_name,phone",
        "shipper_id,phone,company_name",
    );
    assert_eq!(
        fault,
        "shippers.csv, line 1: the header must be shipper_id,company_name,phone"
    );
    let fault = fault_of("shippers.csv", "Speedy Express,", "Speedy, Express,");
    assert_eq!(fault, "shippers.csv, line 2: 4 fields instead of 3");
    let folder = small();
    fs::remove_file(folder.path().join("shippers.csv")).unwrap();
    fs::write(folder.path().join("categories.csv"), "").unwrap();
    fs::write(folder.path().join("suppliers.csv"), b"supplier_id\xff\n").unwrap();
    let said = faults(folder.path());
    assert_eq!(said[0], "categories.csv: the file is empty");
    assert_eq!(said[1], "shippers.csv: the file is missing");
    assert!(
        said[2].starts_with("suppliers.csv, line 1: the header must be supplier_id,"),
        "{}",
        said[2]
    );
    assert_eq!(said.len(), 3, "{said:#?}");
}

#[test]
fn text_that_is_not_utf_8() {
    let folder = small();
    let mut content = fs::read(folder.path().join("shippers.csv")).unwrap();
    let at = content.windows(6).position(|window| window == b"Speedy").unwrap();
    content[at] = 0xff;
    fs::write(folder.path().join("shippers.csv"), content).unwrap();
    assert_eq!(
        faults(folder.path()),
        ["shippers.csv, line 2, company_name: is not UTF-8"]
    );
}

#[test]
fn all_faults_are_named_in_the_order_of_the_files() {
    let folder = small_but("products.csv", "18,39", "much,-1");
    let orders = fs::read_to_string(folder.path().join("orders.csv")).unwrap();
    fs::write(folder.path().join("orders.csv"), orders.replace("ALFKI", "NOONE")).unwrap();
    assert_eq!(
        faults(folder.path()),
        [
            "orders.csv, line 2, customer_id: NOONE is not in customers.csv",
            "orders.csv, line 3, customer_id: NOONE is not in customers.csv",
            "products.csv, line 2, unit_price: \"much\" is not a price above 0, such as 18.9",
            "products.csv, line 2, units_in_stock: \"-1\" is not a whole number from 0 on",
        ]
    );
}

fn up(demo: &Path, directory: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("up").arg("--demo").arg(demo).env("TANDEM_DIR", directory);
    command.output().unwrap()
}

#[test]
fn nothing_is_started_for_a_malformed_folder() {
    let folder = small_but("order_lines.csv", "5,0.05", "5,1.5");
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("stack");
    for (demo, said) in [
        (folder.path(), "order_lines.csv, line 4, discount"),
        (Path::new("/no/such/folder"), "there is no folder /no/such/folder"),
        (parent.path(), "customers.csv: the file is missing"),
    ] {
        let output = up(demo, &directory);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(said), "{text}");
        assert!(output.stdout.is_empty() && !directory.exists());
    }
}
