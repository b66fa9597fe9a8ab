//! What lies in `$TANDEM_DIR`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use tandem::demo::Company;
use tandem::demo::memory::Memory;
use tandem::directory::Directory;
use tandem::keys::Keys;
use tandem::stack::{Running, Stack};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn stack(pid: u32) -> Stack {
    let running = |name: &str| Running {
        url: format!("http://127.0.0.1:1/{name}"),
        api_key: name.repeat(500),
        pid,
    };
    Stack {
        erp: running("erp"),
        crm: running("crm"),
        sync: running("sync"),
    }
}

#[test]
fn only_one_works_in_a_directory() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("a/stack");
    let first = Directory::lock(&path).unwrap();
    let refused = Directory::lock(&path).unwrap_err().with_causes();
    assert!(
        refused.contains(&format!("(process {})", std::process::id())),
        "{refused}"
    );
    assert!(refused.contains("set TANDEM_DIR"), "{refused}");
    drop(first);
    Directory::lock(&path).unwrap();
    // Nobody but us can look around; root's database server must pass through.
    assert_eq!(mode(&path) & 0o066, 0);
    assert_eq!(mode(&path.join("lock")), 0o600);
}

#[test]
fn keys_are_made_once_and_for_us_alone() {
    let directory = tempfile::tempdir().unwrap();
    let keys = Keys::of(directory.path()).unwrap();
    assert_eq!(Keys::of(directory.path()).unwrap(), keys);
    assert_eq!(mode(&directory.path().join("keys.json")), 0o600);
    let mut all = [
        &keys.erp.admin,
        &keys.erp.integration,
        &keys.crm.admin,
        &keys.crm.integration,
        &keys.sync.admin,
    ];
    all.sort();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "five keys, five secrets");
}

#[test]
fn spoilt_keys_are_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    fs::write(&path, "{").unwrap();
    let refused = Keys::of(directory.path()).unwrap_err().with_causes();
    assert!(
        refused.contains("keys.json is not what Tandem wrote there"),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "{");
}

#[test]
fn readers_see_one_stack_or_the_other() {
    let directory = tempfile::tempdir().unwrap();
    stack(1).write(directory.path()).unwrap();
    assert_eq!(mode(&Stack::path(directory.path())), 0o600);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for pid in 2..200 {
                stack(pid).write(directory.path()).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let read = Stack::read(directory.path()).unwrap();
            assert_eq!(read, stack(read.erp.pid));
        }
    });
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file is left");
    Stack::remove(directory.path()).unwrap();
    let gone = Stack::read(directory.path()).unwrap_err().with_causes();
    assert!(gone.contains("start it with tandem up"), "{gone}");
}

#[test]
fn a_stack_file_has_the_promised_form() {
    let directory = tempfile::tempdir().unwrap();
    stack(7).write(directory.path()).unwrap();
    let text = fs::read(Stack::path(directory.path())).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    for part in ["erp", "crm", "sync"] {
        assert_eq!(value[part]["pid"], 7);
        assert!(value[part]["url"].is_string() && value[part]["api_key"].is_string());
    }
}

#[test]
fn a_stack_holds_one_company() {
    let directory = tempfile::tempdir().unwrap();
    let shipped = Company::shipped().unwrap();
    let memory = Memory::of(&shipped);
    memory.write(directory.path()).unwrap();
    let memory = Memory::read(directory.path()).unwrap().unwrap();
    memory.check(&shipped, directory.path()).unwrap();
    let mut other = shipped.clone();
    other.namespace = uuid::Uuid::nil();
    let refused = memory.check(&other, directory.path()).unwrap_err().with_causes();
    assert!(refused.contains("can hold no other"), "{refused}");
    let mut changed = shipped;
    changed.digest = uuid::Uuid::nil();
    let refused = memory.check(&changed, directory.path()).unwrap_err().with_causes();
    assert!(refused.contains("files that have changed since"), "{refused}");
}
