//! Root's clusters go where the server's user can follow.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use private_postgres::Cluster;

use crate::support::{Scratch, query, we_are_root};

#[test]
fn a_directory_that_the_server_cannot_enter_leads_elsewhere() {
    if !we_are_root() {
        println!("skipped: only root runs the server as another user");
        return;
    }
    let scratch = Scratch::closed("postgres");
    let cluster = scratch.start();
    let data = cluster.data_directory();
    assert!(data.starts_with("/var/lib/tandem"), "{}", data.display());
    assert_ne!(fs::metadata(&data).unwrap().uid(), 0);
    assert!(!scratch.path().join("data").exists());
    let location = fs::read_to_string(scratch.path().join("location")).unwrap();
    assert_eq!(Path::new(location.trim_end()), data.parent().unwrap());

    let url = cluster.admin_url();
    query(&url, "CREATE TABLE kept AS SELECT 42 AS answer");
    let pid = cluster.pid();
    let adopted = scratch.start();
    assert_eq!(adopted.pid(), pid);
    cluster.stop().unwrap();
    let found_again = scratch.start();
    assert_eq!(found_again.data_directory(), data);
    assert_eq!(query(&url, "SELECT answer FROM kept"), "42");

    found_again.remove().unwrap();
    assert!(!data.parent().unwrap().exists());
}

#[test]
fn a_copied_location_does_not_lead_to_the_same_cluster() {
    if !we_are_root() {
        println!("skipped: only root runs the server as another user");
        return;
    }
    let (original, copy) = (Scratch::closed("postgres"), Scratch::closed("postgres"));
    let cluster = original.start();
    let copied = Command::new("cp")
        .arg("-a")
        .args([original.path(), copy.path()])
        .status();
    assert!(copied.unwrap().success());
    assert!(Cluster::find(copy.path()).unwrap().is_none());
    let other = copy.start();
    assert_ne!(other.data_directory(), cluster.data_directory());

    // a directory that was moved keeps its cluster
    let moved = Scratch::closed("postgres");
    fs::rename(original.path(), moved.path()).unwrap();
    assert_eq!(moved.start().pid(), cluster.pid());
}
