//! Addresses that cannot be had are told before anything is started.

use std::net::TcpListener;
use std::process::{Command, Output};

fn up(settings: &[(&str, &str)]) -> (Output, bool) {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("stack");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(["up", "--no-demo"]).env("TANDEM_DIR", &directory);
    for part in ["ERP", "CRM", "SYNC"] {
        command.env(format!("{part}_BIND"), "127.0.0.1:0");
        command.env_remove(format!("{part}_DATABASE_URL"));
    }
    command.envs(settings.iter().copied());
    let output = command.output().unwrap();
    (output, directory.join("postgres").exists())
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap();
    let (output, database) = up(&[("CRM_BIND", &bind.to_string())]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("port {} ", bind.port())) && said.contains("set CRM_BIND"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!database, "nothing was started");
}

#[test]
fn one_port_for_two() {
    let (output, _) = up(&[("ERP_BIND", "127.0.0.1:28999"), ("SYNC_BIND", "127.0.0.1:28999")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("ERP_BIND and SYNC_BIND are both 127.0.0.1:28999"),
        "{said}"
    );
}

#[test]
fn settings_that_are_not_understood() {
    for (setting, said) in [
        (("ERP_BIND", "8081"), "ERP_BIND=\"8081\" is not understood"),
        (
            ("TANDEM_TIME_ZONE", "Mars"),
            "TANDEM_TIME_ZONE=\"Mars\" is not understood",
        ),
    ] {
        let (output, _) = up(&[setting]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(said), "{text}");
    }
    let (output, _) = up(&[
        ("ERP_DATABASE_URL", "postgres://x"),
        ("CRM_DATABASE_URL", "postgres://x"),
    ]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("each service needs its own"), "{said}");
}
