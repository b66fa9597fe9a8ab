//! Tells the tests whether the Northwind company lies beside the checkout; those that need it are
//! otherwise ignored, and counted as such.
fn main() {
    let northwind = "../../shared/data/northwind/orders.csv";
    println!("cargo::rustc-check-cfg=cfg(shared_data)");
    println!("cargo::rerun-if-changed={northwind}");
    if std::path::Path::new(northwind).exists() {
        println!("cargo::rustc-cfg=shared_data");
    }
}
