//! Sets `cfg(shared_data)` where the Northwind files lie beside the project: tests on them are
//! counted as skipped elsewhere.

use std::path::Path;

fn main() {
    let northwind = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/northwind");
    println!("cargo::rustc-check-cfg=cfg(shared_data)");
    println!("cargo::rerun-if-changed={}", northwind.display());
    if northwind.is_dir() {
        println!("cargo::rustc-cfg=shared_data");
    }
}
