//! The migrations are embedded by a macro; this makes a new one recompile it.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
