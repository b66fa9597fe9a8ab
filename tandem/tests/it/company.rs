//! What is read from the files of a company.

use crate::support::{shipped_folder, small, small_but};
use rust_decimal::Decimal;
use std::fs;
use tandem::demo::Company;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data/northwind")]
fn northwind_has_its_known_figures() {
    let company = crate::support::northwind();
    assert_eq!(company.name, "northwind");
    assert_eq!(
        (company.customers.len(), company.suppliers.len(), company.products.len()),
        (91, 29, 77)
    );
    assert_eq!(
        (company.categories.len(), company.employees.len(), company.shippers),
        (8, 9, 3)
    );
    assert_eq!((company.orders.len(), company.line_count()), (830, 2_155));
    assert_eq!(company.net(), decimal("1265793.02"));
    assert_eq!(company.shipped_orders().count(), 809);
    assert_eq!(company.reserved_units().values().sum::<i64>(), 1_198);
    assert_eq!(company.opening_date().to_string(), "1996-07-01");
    let chai = company.products.iter().find(|product| product.id == 1).unwrap();
    assert_eq!((chai.units_in_stock, company.opening_units()[&1]), (39, 39 + 828));
    assert_eq!(
        company.products.iter().filter(|product| product.discontinued).count(),
        8
    );
}

/// The figures stand in the worked examples, computed independently of this program.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data/northwind")]
fn northwinds_books_are_known() {
    let books = crate::support::northwind().books();
    assert_eq!(books.bank, decimal("1064984.45"));
    assert_eq!(books.receivable, decimal("238826.17"));
    assert_eq!(books.not_due, decimal("142606.34"));
    assert_eq!(books.stock, decimal("60896.74"));
    assert_eq!(books.cost_of_goods_sold, decimal("853150.22"));
    assert_eq!(books.revenue, decimal("1239855.60"));
    assert_eq!(books.freight, decimal("63955.02"));
    assert_eq!(books.opening_equity, decimal("914046.96"));
    assert_eq!(
        (books.debit(), books.credit()),
        (decimal("2217857.58"), decimal("2217857.58"))
    );
}

#[test]
fn the_shipped_company_is_about_as_large_as_promised() {
    let company = Company::shipped().unwrap();
    assert_eq!(company.name, "Tarnbeck Cycle Supply");
    assert_eq!((company.customers.len(), company.products.len()), (120, 90));
    assert_eq!((company.orders.len(), company.line_count()), (1_190, 3_243));
    assert!(company.orders.iter().any(|order| order.shipped_date.is_none()));
    company.check_against("2026-10-31".parse().unwrap()).unwrap();
}

#[test]
fn the_shipped_company_is_the_one_in_the_folder() {
    let (embedded, read) = (Company::shipped().unwrap(), Company::read(&shipped_folder()).unwrap());
    assert_eq!((embedded.namespace, embedded.digest), (read.namespace, read.digest));
}

#[test]
fn a_small_company_is_read_as_it_stands() {
    let folder = small();
    let company = Company::read(folder.path()).unwrap();
    let customer = &company.customers[0];
    assert_eq!(customer.address, "Obere Str. 57\nHinterhaus");
    assert_eq!((customer.country, customer.region.as_deref()), ("DE", None));
    assert_eq!(customer.postal_code.as_deref(), Some("012209"));
    // 14 × 12, and 0.405 to the even cent; 14 × 5 less 5 %
    let worth: Vec<_> = company.orders.iter().map(|order| order.net()).collect();
    assert_eq!(worth, [decimal("168.40"), decimal("66.50")]);
    assert_eq!(company.opening_units(), [(1, 39 + 12 + 5), (2, 1)].into());
    assert_eq!(company.reserved_units(), [(1, 5)].into());
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_make_no_difference() {
    let (unix, windows) = (small(), small());
    for entry in fs::read_dir(windows.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
        fs::write(&path, format!("\u{feff}{content}")).unwrap();
    }
    let (unix, windows) = (
        Company::read(unix.path()).unwrap(),
        Company::read(windows.path()).unwrap(),
    );
    assert_eq!(windows.namespace, unix.namespace);
    assert_eq!(windows.net(), unix.net());
}

#[test]
fn a_company_stays_the_same_when_its_figures_change() {
    let before = small();
    let before = Company::read(before.path()).unwrap();
    let after = small_but("products.csv", "18,39", "18,40");
    let after = Company::read(after.path()).unwrap();
    assert_eq!(before.namespace, after.namespace);
    assert_eq!(before.order_uuid(10), after.order_uuid(10));
    assert_ne!(before.digest, after.digest);
    let other = small_but("employees.csv", "Davolio", "Fuller");
    let other = Company::read(other.path()).unwrap();
    assert_ne!(before.order_uuid(10), other.order_uuid(10));
}

#[test]
fn no_order_lies_in_the_future() {
    let folder = small();
    let company = Company::read(folder.path()).unwrap();
    company.check_against("1996-07-16".parse().unwrap()).unwrap();
    let faults = company.check_against("1996-07-04".parse().unwrap()).unwrap_err();
    let said: Vec<_> = faults.0.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "orders.csv, line 2, shipped_date: 1996-07-16 lies in the future: today is 1996-07-04 on this machine",
            "orders.csv, line 3, order_date: 1996-07-05 lies in the future: today is 1996-07-04 on this machine",
        ]
    );
}

#[test]
fn its_people_are_users_who_see_what_their_place_says() {
    let people = Company::shipped().unwrap().people();
    let said: Vec<_> = people.iter().map(|person| (&*person.email, person.sees)).collect();
    assert_eq!(
        said,
        [
            ("holtby@tarnbeck.example", "all"),
            ("okafor@tarnbeck.example", "all"),
            ("ferrante@tarnbeck.example", "team"),
            ("raghunathan@tarnbeck.example", "team"),
            ("wilk@tarnbeck.example", "own"),
            ("kobayashi@tarnbeck.example", "own"),
            ("geraghty@tarnbeck.example", "own"),
            ("nystrom@tarnbeck.example", "own"),
            ("haddad@tarnbeck.example", "own"),
        ]
    );
}
