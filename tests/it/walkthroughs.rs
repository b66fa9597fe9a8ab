//! The documents' walkthroughs do what they say: every ```sh block is run, in order, in one shell
//! against an empty stack, and no call is refused unless the block says so.
//!
//! A call that is meant to be refused carries its status in a comment, `# 409`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tests::processes::Processes;

/// A debug build in a busy machine; a walkthrough that waits for something that never comes ends.
const PATIENCE: Duration = Duration::from_secs(240);

/// Tells the runner what each call was answered, and where each block begins.
const RUNNER: &str = r#"
set -euo pipefail
curl() { command curl -w '%{stderr}\n@@ %{http_code} %{method} %{url}\n' "$@" 2>>"$TANDEM_DIR/calls"; }
block() { echo "== $1" >>"$TANDEM_DIR/calls"; }
"#;

/// The shell blocks of a document, with the line on which each begins.
fn blocks(document: &str) -> Vec<(usize, String)> {
    let (mut blocks, mut open) = (Vec::new(), None);
    for (index, line) in document.lines().enumerate() {
        match (&mut open, line) {
            (None, "```sh") => open = Some((index + 2, String::new())),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some((_, block)), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

/// The statuses of 400 and more that a block announces in its comments, in any order.
fn announced(block: &str) -> Vec<u16> {
    let comments = block.lines().filter_map(|line| line.split_once("# "));
    let mut statuses: Vec<u16> = comments
        .filter_map(|(_, comment)| {
            comment
                .split(|c: char| !c.is_ascii_digit())
                .find_map(|word| word.parse().ok())
        })
        .filter(|status| (400..600).contains(status))
        .collect();
    statuses.sort_unstable();
    statuses
}

async fn walk(name: &str, files: &[(&str, &str)]) {
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let read = |name: &str| std::fs::read_to_string(documents.join(name)).expect("a document");
    // The guide's first block defines the functions that all walkthroughs use.
    let mut walked = blocks(&read("guide.md"));
    if name != "guide.md" {
        walked.truncate(1);
        walked.extend(blocks(&read(name)));
    }
    assert!(walked.len() > 5, "{name} has no walkthrough");
    let home = tempfile::tempdir().expect("a directory");
    let work = tempfile::tempdir().expect("a directory");
    for (file, content) in files {
        std::fs::write(work.path().join(file), content).expect("a file");
    }
    let mut processes = Processes::up(home.path(), &["--no-demo"]);
    processes.ready(Duration::from_secs(60)).await;
    let mut script = RUNNER.to_owned();
    for (line, block) in &walked {
        script.push_str(&format!("block {line}\n{block}"));
    }
    let running = tokio::process::Command::new("bash")
        .args(["-c", &script])
        .env("TANDEM_DIR", home.path())
        .current_dir(work.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(PATIENCE, running).await;
    let calls = std::fs::read_to_string(home.path().join("calls")).unwrap_or_default();
    let mut faults = Vec::new();
    let mut told = calls.split("== ").skip(1);
    for (line, block) in &walked {
        let Some(part) = told.next() else {
            faults.push(format!("{name}:{line}: not reached"));
            break;
        };
        let refused = part
            .lines()
            .filter_map(|call| call.strip_prefix("@@ "))
            .filter(|call| !call.starts_with(['2', '3']));
        let mut statuses: Vec<u16> = refused
            .clone()
            .filter_map(|call| call.split(' ').next()?.parse().ok())
            .collect();
        statuses.sort_unstable();
        if statuses != announced(block) {
            let refused: Vec<&str> = refused.collect();
            faults.push(format!(
                "{name}:{line}: announces {:?}, was answered {refused:#?}",
                announced(block)
            ));
        }
    }
    let said = match &ended {
        Ok(Ok(output)) => {
            if !output.status.success() {
                faults.push(format!("{name}: {}", output.status));
            }
            format!(
                "{}\n{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
        }
        _ => {
            faults.push(format!("{name}: did not end within {PATIENCE:?}"));
            String::new()
        }
    };
    let end: String = said
        .chars()
        .rev()
        .take(6_000)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    assert!(
        faults.is_empty(),
        "{}\n\nThe end of what it printed:\n{end}",
        faults.join("\n")
    );
    assert_eq!(processes.interrupt().await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_is_true() {
    walk("guide.md", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_in_the_back_office_is_true() {
    let yesterday = (chrono::Utc::now() - chrono::Duration::days(1)).format("%Y-%m-%d");
    let rates = format!("Date,USD,CHF,GBP,\n{yesterday},1.0812,0.9350,0.8410,\n");
    walk("back-office.md", &[("eurofxref.csv", &rates)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_of_a_sales_representative_is_true() {
    walk("sales.md", &[]).await;
}
