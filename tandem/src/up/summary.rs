//! What `tandem up` says when everything runs.

use crate::demo::memory::{Loaded, Memory, RoundTrip};
use crate::directory::Directory;
use crate::part::Part;
use crate::stack::Stack;
use std::fmt::Write;

/// What became of the demo.
pub enum Demo {
    /// Nothing was loaded, now or before.
    None,
    LoadedNow(Memory),
    /// By an earlier run.
    LoadedBefore(Memory),
}

/// The summary; it ends in a line break.
pub fn text(stack: &Stack, directory: &Directory, private_postgres: bool, demo: &Demo, password: &str) -> String {
    let mut text = String::from("\nTandem is running.\n\n");
    for part in Part::ALL {
        let service = stack.of(part);
        let name = part.name().to_uppercase();
        let _ = writeln!(
            text,
            "  {name:<5} {:<30} key {}",
            format!("{}/docs/", service.url),
            service.api_key
        );
    }
    text.push('\n');
    match demo {
        Demo::None => text.push_str("  Demo  none\n"),
        Demo::LoadedNow(memory) => push_company(&mut text, memory, "loaded", password),
        Demo::LoadedBefore(memory) => push_company(&mut text, memory, "was loaded", password),
    }
    let path = directory.path().display();
    if private_postgres {
        let _ = writeln!(text, "  Data  {}", directory.postgres().display());
    }
    let _ = writeln!(text, "  Logs  {}", directory.logs().display());
    let _ = writeln!(
        text,
        "  Keys  {path}/keys.json; addresses and process ids {path}/stack.json"
    );
    text.push_str("\nCtrl-C stops everything.\n");
    text
}

fn push_company(text: &mut String, memory: &Memory, loaded: &str, password: &str) {
    let _ = writeln!(text, "  Demo  {}: {}", memory.name, memory.contents);
    if let Some(Loaded { at, seconds }) = memory.loaded {
        let at = at.format("%Y-%m-%d %H:%M UTC");
        let _ = writeln!(
            text,
            "        {loaded} in {seconds:.1} s at {at}; both systems agreed with its files"
        );
    }
    if let Some(RoundTrip {
        orders,
        median_milliseconds: median,
    }) = memory.round_trip
    {
        let _ = writeln!(
            text,
            "        an order submitted in the CRM came back accepted in {median} ms (median of {orders})"
        );
    }
    if !memory.sign_ins.is_empty() {
        let _ = writeln!(text, "        users of the CRM sign in with the password {password}");
    }
    for (sees, email) in &memory.sign_ins {
        let _ = writeln!(text, "        {email}, who sees {sees}");
    }
}
