//! Finding a server that already runs, and not mistaking another for it.

use std::fs;
use std::process::Command;

use private_postgres::testing::shared_test_cluster;
use private_postgres::{Cluster, Settings};

use crate::support::{Scratch, binary, query, stdout};

#[test]
fn a_server_left_by_another_process_is_adopted() {
    let scratch = Scratch::new();
    let started = binary("start", &scratch.path()).arg("--not-durable").output().unwrap();
    let left = Cluster::find(scratch.path()).unwrap().unwrap().pid();
    assert!(left.is_some());
    let adopted = scratch.start();
    assert_eq!(adopted.pid(), left);
    assert_eq!(adopted.admin_url(), stdout(&started));
}

#[test]
fn two_processes_that_start_at_once_share_one_server() {
    let scratch = Scratch::new();
    let starts: Vec<_> = (0..3)
        .map(|_| {
            let mut command = binary("start", &scratch.path());
            command.arg("--not-durable");
            command.stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let outputs: Vec<_> = starts
        .into_iter()
        .map(|start| start.wait_with_output().unwrap())
        .collect();
    assert!(outputs.iter().all(|output| output.status.success()));
    assert!(outputs.iter().all(|other| stdout(other) == stdout(&outputs[0])));
    assert_eq!(query(&stdout(&outputs[0]), "SELECT 1"), "1");
}

#[test]
fn an_adopted_server_takes_over_the_settings() {
    let scratch = Scratch::new();
    let left = scratch.start().pid();
    let durable = Cluster::start(Settings::new(scratch.path())).unwrap();
    assert_eq!(durable.pid(), left);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while query(&durable.admin_url(), "SHOW fsync") != "on" {
        assert!(std::time::Instant::now() < deadline);
    }
}

#[test]
fn a_copy_of_a_running_cluster_is_not_mistaken_for_it() {
    let (original, copy) = (Scratch::new(), Scratch::new());
    let cluster = original.start();
    cluster.kill().unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .args([original.path(), copy.path()])
        .status();
    assert!(copied.unwrap().success());
    cluster.restart().unwrap();
    let pid_file = |scratch: &Scratch| scratch.path().join("data/postmaster.pid");
    fs::copy(pid_file(&original), pid_file(&copy)).unwrap();

    let other = copy.start();
    assert!(other.is_ready());
    assert_ne!(other.pid(), cluster.pid());
    assert_ne!(other.admin_url(), cluster.admin_url());
    assert!(cluster.is_ready());
}

#[test]
fn a_server_whose_directory_was_deleted_gives_way() {
    let scratch = Scratch::new();
    let before = scratch.start();
    let (pid, url) = (before.pid(), before.admin_url());
    fs::remove_dir_all(scratch.path()).unwrap();
    let after = scratch.start();
    assert_ne!(after.pid(), pid);
    assert_ne!(after.admin_url(), url, "a new cluster has a new password");
    assert_eq!(query(&after.admin_url(), "SELECT 1"), "1");
}

#[test]
fn a_server_whose_socket_was_deleted_is_restarted() {
    let scratch = Scratch::new();
    let cluster = scratch.start();
    let pid = cluster.pid();
    let sockets = query(&cluster.admin_url(), "SHOW unix_socket_directories");
    fs::remove_dir_all(sockets).unwrap();
    assert!(!cluster.is_ready());
    let again = scratch.start();
    assert_ne!(again.pid(), pid);
    assert_eq!(again.admin_url(), cluster.admin_url());
    assert_eq!(query(&again.admin_url(), "SELECT 1"), "1");
}

#[test]
fn tests_share_one_cluster() {
    let cluster = shared_test_cluster().unwrap();
    assert_eq!(query(&cluster.admin_url(), "SHOW max_connections"), "300");
    assert_eq!(query(&cluster.admin_url(), "SHOW fsync"), "off");
    assert!(std::ptr::eq(cluster, shared_test_cluster().unwrap()));
}
