//! Start, use, stop.

use std::process;

use private_postgres::{Cluster, ClusterError, Settings};

use crate::support::{Scratch, binary, group_and_session, query, stdout};

#[test]
fn a_cluster_starts_stops_and_keeps_its_data() {
    let scratch = Scratch::new();
    let settings = Settings::new(scratch.path());
    let cluster = Cluster::start(settings.clone()).unwrap();
    assert!(cluster.create_database("orders & more").unwrap());
    assert!(!cluster.create_database("orders & more").unwrap());
    let url = cluster.url("orders & more");
    query(&url, "CREATE TABLE kept AS SELECT 42 AS answer");
    for (setting, value) in [
        ("fsync", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("lc_messages", "C"),
        ("max_connections", "60"),
        ("shared_buffers", "128MB"),
        ("jit", "off"),
    ] {
        assert_eq!(query(&url, &format!("SHOW {setting}")), value, "{setting}");
    }
    cluster.stop().unwrap();

    let stopped = Cluster::find(scratch.path()).unwrap().unwrap();
    assert_eq!((stopped.pid(), stopped.is_ready()), (None, false));
    assert_eq!(stopped.url("orders & more"), url);
    stopped.stop().unwrap();

    Cluster::start(settings).unwrap();
    assert_eq!(query(&url, "SELECT answer FROM kept"), "42");
}

#[test]
fn the_server_has_a_session_of_its_own() {
    let scratch = Scratch::new();
    let server = scratch.start().pid().unwrap();
    let (our_group, our_session) = group_and_session(process::id());
    let (group, session) = group_and_session(server);
    assert_ne!(group, our_group);
    assert_ne!(session, our_session);
    assert_eq!((group, session), (server, server));
}

#[test]
fn a_directory_may_have_any_name() {
    let scratch = Scratch::named("it's \"$HOME\" & `more` \\ ünïcode; exit");
    let cluster = scratch.start();
    assert_eq!(query(&cluster.admin_url(), "SELECT 1"), "1");
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path()).unwrap();
    std::fs::write(scratch.path().join("diary"), "private").unwrap();
    let refused = Cluster::start(scratch.settings());
    assert!(matches!(refused, Err(ClusterError::ForeignDirectory(_))));
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let scratch = Scratch::new();
    let extra = vec![("shared_buffers".to_owned(), "plenty".to_owned())];
    let refused = Cluster::start(Settings {
        extra,
        ..scratch.settings()
    });
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("shared_buffers"), "{message}");
    // and the same cluster starts once the mistake is corrected
    assert!(scratch.start().is_ready());
}

#[test]
fn impossible_database_names_are_refused() {
    let scratch = Scratch::new();
    let cluster = scratch.start();
    for name in ["", "nul\0", &"x".repeat(64)] {
        let refused = cluster.create_database(name);
        assert!(matches!(refused, Err(ClusterError::InvalidDatabaseName(_))));
    }
    assert!(cluster.create_database("\"; DROP DATABASE x; '").unwrap());
}

#[test]
fn the_binary_starts_shows_stops_and_removes() {
    let scratch = Scratch::new();
    let path = scratch.path();
    let status = || binary("status", &path).output().unwrap();
    assert_eq!(status().status.code(), Some(3));

    let started = binary("start", &path).arg("--not-durable").output().unwrap();
    assert!(started.status.success(), "{started:?}");
    let shown = binary("url", &path).output().unwrap();
    assert_eq!(stdout(&started), stdout(&shown));
    assert_eq!(query(&stdout(&shown), "SHOW fsync"), "off");
    assert!(stdout(&status()).starts_with("running as process "));

    assert!(binary("stop", &path).status().unwrap().success());
    assert!(stdout(&status()).starts_with("stopped; data in "));
    assert_eq!(status().status.code(), Some(3));
    assert!(binary("remove", &path).status().unwrap().success());
    assert!(!path.exists());

    let wrong = binary("dance", &path).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("Usage:"));
}
