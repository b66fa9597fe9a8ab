//! The migrations are embedded at compile time: a new one must make the crate compile again.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
