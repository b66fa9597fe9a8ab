//! What a crash leaves behind does not stop the next start.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use private_postgres::{Cluster, ClusterError, Settings};

use crate::support::{Scratch, binary, query};

#[test]
fn committed_data_survive_a_kill_of_the_server() {
    let scratch = Scratch::new();
    let cluster = Cluster::start(Settings::new(scratch.path())).unwrap();
    let url = cluster.admin_url();
    query(&url, "CREATE TABLE kept AS SELECT 42 AS answer");
    let first = cluster.pid();
    cluster.kill().unwrap();
    assert_eq!(cluster.pid(), None);
    assert!(matches!(cluster.kill(), Err(ClusterError::NotRunning(_))));
    assert!(cluster.data_directory().join("postmaster.pid").exists());

    cluster.restart().unwrap();
    assert_ne!(cluster.pid(), first);
    assert_eq!(query(&url, "SELECT answer FROM kept"), "42");
    cluster.kill().unwrap();

    let again = Cluster::start(Settings::new(scratch.path())).unwrap();
    assert_eq!(again.admin_url(), url);
    assert_eq!(query(&url, "SELECT answer FROM kept"), "42");
}

#[test]
fn a_stale_pid_that_another_process_got_does_not_stop_the_start() {
    let scratch = Scratch::new();
    let cluster = scratch.start();
    cluster.kill().unwrap();
    let pid_file = cluster.data_directory().join("postmaster.pid");
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&pid_file).unwrap());
    let mut stranger = Command::new("sleep").arg("60").uid(owner).spawn().unwrap();

    let text = fs::read_to_string(&pid_file).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", stranger.id())).unwrap();
    assert_eq!(cluster.pid(), None);
    let again = scratch.start();
    assert!(again.is_ready());
    assert!(stranger.try_wait().unwrap().is_none(), "left alone");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn an_interrupted_initdb_is_done_again() {
    let scratch = Scratch::new();
    let mut start = binary("start", &scratch.path()).stdout(Stdio::null()).spawn().unwrap();
    let half_made = scratch.path().join("data.new/PG_VERSION");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !half_made.exists() {
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(5));
    }
    start.kill().unwrap();
    start.wait().unwrap();
    assert!(!scratch.path().join("data").exists());
    assert!(Cluster::find(scratch.path()).unwrap().is_none());

    // initdb, which outlived its parent, is waited for, and its half-made work is not used
    let cluster = scratch.start();
    assert_eq!(query(&cluster.admin_url(), "SELECT 1"), "1");
    assert!(!scratch.path().join("data.new").exists());
}
