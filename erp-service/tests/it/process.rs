//! The program itself.

use erp_service::app::SERVICE;
use service_kit::testing::{Client, TestDatabase};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_erp-service");

fn program(database: &str, bind: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .env_clear()
        .env("ERP_DATABASE_URL", database)
        .env("ERP_BIND", bind)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The address that its log names.
fn address(child: &mut Child) -> String {
    let log = BufReader::new(child.stderr.take().expect("its log"));
    for line in log.lines() {
        let line = line.expect("a line");
        let entry: serde_json::Value = serde_json::from_str(&line).expect("JSON lines");
        if let Some(address) = entry["fields"]["address"].as_str() {
            return address.to_owned();
        }
    }
    panic!("it never listened");
}

fn health(bind: &str) -> Option<i32> {
    let status = Command::new(PROGRAM)
        .arg("health")
        .env_clear()
        .env("ERP_BIND", bind)
        .status();
    status.expect("it runs").code()
}

#[tokio::test]
async fn it_serves_until_it_is_told_to_stop() {
    let database = TestDatabase::of(&SERVICE);
    let mut child = program(&database.url, "127.0.0.1:0").spawn().expect("it runs");
    let address = address(&mut child);
    assert_eq!(health(&address), Some(0));
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(told.expect("kill runs").success());
    let started = Instant::now();
    let status = child.wait().expect("an end");
    assert!(status.success(), "{status}");
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(health(&address), Some(1));
    // The first admin key was shown once, and works at the next start, which shows none.
    let mut shown = String::new();
    child
        .stdout
        .take()
        .expect("its output")
        .read_to_string(&mut shown)
        .expect("text");
    let key = shown.trim().rsplit(' ').next().expect("a key").to_owned();
    assert!(key.starts_with("tdm_"), "{shown}");
    let mut child = program(&database.url, "127.0.0.1:0").spawn().expect("it runs");
    let url = format!("http://{}", self::address(&mut child));
    Client::new(url, &key).get("/v1/products").await.expect(200);
    child.kill().expect("an end");
    let output = child.wait_with_output().expect("an end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[test]
fn it_says_what_is_wrong_and_does_not_start() {
    let said = |command: &mut Command| {
        let output = command.output().expect("it runs");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let unset = said(Command::new(PROGRAM).env_clear());
    assert!(unset.contains("ERP_DATABASE_URL is not set"), "{unset}");
    let nowhere = said(&mut program("postgres://localhost/x", "everywhere"));
    assert!(nowhere.contains("ERP_BIND"), "{nowhere}");
    let unreachable = said(&mut program("host=/nonexistent dbname=x", "127.0.0.1:0"));
    assert!(unreachable.contains("cannot connect"), "{unreachable}");
    let unknown = said(Command::new(PROGRAM).env_clear().arg("dance"));
    assert!(unknown.contains("usage"), "{unknown}");
}
