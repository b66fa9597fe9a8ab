//! Nobody else gets in.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::support::{Scratch, query, stdout, try_query};

#[test]
fn the_password_is_required() {
    let scratch = Scratch::new();
    let cluster = scratch.start();
    let url = cluster.admin_url();
    let (user, rest) = url.split_once('@').unwrap();
    let (user, password) = user.rsplit_once(':').unwrap();
    assert_eq!(password.len(), 64);

    let wrong = try_query(&format!("{user}:wrong@{rest}"), "SELECT 1");
    assert!(!wrong.status.success());
    let words = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(words.contains("password authentication failed"), "{words}");
    let none = try_query(&format!("{user}@{rest}"), "SELECT 1");
    assert!(!none.status.success());
    assert_eq!(query(&url, "SELECT 1"), "1");
    assert!(!format!("{cluster:?}").contains(password));
}

#[test]
fn only_the_owner_reaches_files_and_socket() {
    let scratch = Scratch::new();
    let cluster = scratch.start();
    let sockets = query(&cluster.admin_url(), "SHOW unix_socket_directories");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
    let owner = |path: &std::path::Path| fs::metadata(path).unwrap().uid();
    let data = cluster.data_directory();
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(sockets.as_ref()), 0o700);
    assert_eq!(owner(sockets.as_ref()), owner(&data));
    let socket = format!("{sockets}/.s.PGSQL.5432");
    assert!(socket.len() < 107);
    assert_eq!(mode(socket.as_ref()), 0o700);
    for name in ["password", "server.conf", "log", "lock"] {
        assert_eq!(mode(&scratch.path().join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&scratch.path()) & 0o007, 0);
}

#[test]
fn nothing_listens_on_tcp() {
    let scratch = Scratch::new();
    let cluster = scratch.start();
    assert_eq!(query(&cluster.admin_url(), "SHOW listen_addresses"), "");

    // listed as the owner: root in a container may not look into processes of others
    let owner = fs::metadata(cluster.data_directory()).unwrap();
    let listed = Command::new("ls")
        .args(["-l", &format!("/proc/{}/fd/", cluster.pid().unwrap())])
        .uid(owner.uid())
        .gid(owner.gid())
        .output()
        .unwrap();
    let held: HashSet<String> = stdout(&listed)
        .lines()
        .filter_map(|line| line.split_once("socket:[")?.1.strip_suffix(']'))
        .map(str::to_owned)
        .collect();
    assert!(!held.is_empty(), "it listens on its Unix socket");
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = fs::read_to_string(table).unwrap_or_default();
        let inodes = table.lines().filter_map(|line| line.split_whitespace().nth(9));
        assert_eq!(inodes.filter(|inode| held.contains(*inode)).count(), 0);
    }
}
