//! The migrations are embedded at compile time: a new one must make the crate compile again. And the tests
//! are told whether the Northwind company lies beside the checkout; those that need it are otherwise
//! ignored, and counted as such.
fn main() {
    println!("cargo::rerun-if-changed=migrations");
    let northwind = "../../shared/data/northwind/orders.csv";
    println!("cargo::rustc-check-cfg=cfg(shared_data)");
    println!("cargo::rerun-if-changed={northwind}");
    if std::path::Path::new(northwind).exists() {
        println!("cargo::rustc-cfg=shared_data");
    }
}
