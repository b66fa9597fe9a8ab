//! A company in a temporary folder, to be spoilt.

use std::fs;
use std::path::{Path, PathBuf};
use tandem::demo::Company;
use tempfile::TempDir;

pub fn shipped_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")
}

/// The real company, where it lies beside the project.
#[cfg_attr(not(shared_data), allow(dead_code, reason = "its tests are left out"))]
pub fn northwind() -> Company {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/northwind");
    Company::read(&folder).unwrap()
}

/// The smallest company: one of each, two orders.
pub const SMALL: &[(&str, &str)] = &[
    (
        "customers.csv",
        "customer_id,company_name,contact_name,contact_title,address,city,region,postal_code,country,phone,fax\n\
         ALFKI,Alfreds Futterkiste,Maria Anders,Owner,\"Obere Str. 57\nHinterhaus\",Berlin,,012209,Germany,030-0074321,\n",
    ),
    (
        "suppliers.csv",
        "supplier_id,company_name,contact_name,contact_title,address,city,region,postal_code,country,phone,home_page\n\
         1,Exotic Liquids,Charlotte Cooper,Manager,49 Gilbert St.,London,,EC1 4SD,UK,(171) 555-2222,\n",
    ),
    (
        "categories.csv",
        "category_id,name,description\n1,Beverages,\"Soft drinks, teas\"\n",
    ),
    (
        "products.csv",
        "product_id,name,supplier_id,category_id,quantity_per_unit,unit_price,units_in_stock,units_on_order,reorder_level,discontinued\n\
         1,Chai,1,1,10 boxes,18,39,0,10,0\n2,Chang,1,1,24 bottles,19.5,0,40,25,1\n",
    ),
    (
        "employees.csv",
        "employee_id,last_name,first_name,title,birth_date,hire_date,city,country,home_phone,reports_to\n\
         1,Davolio,Nancy,Sales,1968-12-08,1992-05-01,Seattle,USA,(206) 555-9857,\n",
    ),
    (
        "shippers.csv",
        "shipper_id,company_name,phone\n1,Speedy Express,(503) 555-9831\n",
    ),
    (
        "orders.csv",
        "order_id,customer_id,employee_id,order_date,required_date,shipped_date,ship_via,freight,ship_name,ship_address,ship_city,ship_region,ship_postal_code,ship_country\n\
         10,ALFKI,1,1996-07-04 00:00:00.000,1996-08-01 00:00:00.000,1996-07-16 00:00:00.000,1,32.38,Alfreds,Obere Str. 57,Berlin,,12209,Germany\n\
         11,ALFKI,1,1996-07-05 00:00:00.000,1996-07-01 00:00:00.000,,1,0,Alfreds,Obere Str. 57,Berlin,,12209,Germany\n",
    ),
    (
        "order_lines.csv",
        "order_id,product_id,unit_price,quantity,discount\n10,1,14,12,0.0\n10,2,0.45,1,0.1\n11,1,14,5,0.05\n",
    ),
];

/// The small company, with one text of one file replaced by another.
pub fn small_but(file: &str, from: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in SMALL {
        let content = if *name == file {
            assert!(content.contains(from), "{file} has no {from:?}");
            content.replacen(from, to, 1)
        } else {
            (*content).to_owned()
        };
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

pub fn small() -> TempDir {
    small_but("orders.csv", "", "")
}
