//! A CSV file of products on its way in: how long it takes, and whether memory stays flat meanwhile.

use crate::failure::{Failure, Result};
use crate::prepare::Shop;
use crate::processes::mebibytes;
use crate::ratios::pause_flows;
use crate::report::Report;
use crate::stack::Stack;
use serde::Deserialize;
use std::fmt::Write;
use std::time::{Duration, Instant};
use uuid::Uuid;

const SECONDS: f64 = 30.0;
/// Of the whole service, as over everything else.
const MEMORY_MIB: f64 = 64.0;
/// What a file may add to the memory between its first and its last fifth.
const GROWTH_MIB: f64 = 4.0;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
struct Import {
    status: String,
    rows: u64,
    created: u64,
    unchanged: u64,
}

/// The memory of the ERP while a file was read, in the order of time, with how much of the file was done.
#[derive(Default)]
struct Memory(Vec<(f64, f64)>);

impl Memory {
    fn highest_between(&self, from: f64, to: f64) -> f64 {
        let within = self.0.iter().filter(|(done, _)| (from..=to).contains(done));
        within.map(|(_, mebibytes)| *mebibytes).fold(0.0, f64::max)
    }

    /// How much higher it was near the end of the file than near its beginning.
    fn growth(&self) -> f64 {
        (self.highest_between(0.8, 1.0) - self.highest_between(0.0, 0.2)).max(0.0)
    }
}

/// # Errors
/// When the ERP refuses the file or a row, or is gone.
pub async fn measure(shop: &Shop, stack: &Stack, rows: u32, report: &mut Report) -> Result<()> {
    println!("Importing {rows} products; the flows pause: the ERP is measured alone");
    pause_flows(shop).await?;
    let file = file(rows);
    let before = mebibytes(stack.erp.pid, "VmRSS")?;
    let (import, took, memory) = send(shop, stack, &file, rows).await?;
    let after = mebibytes(stack.erp.pid, "VmRSS")?;
    if import.created != u64::from(rows) {
        let message = format!("of {rows} products only {} were created", import.created);
        return Err(Failure::new(message));
    }
    let highest = memory.highest_between(0.0, 1.0);
    println!(
        "  {took:.1} s, {:.1} MiB of CSV, {:.0} rows/s; resident: {before:.1} MiB before, {highest:.1} at most, {after:.1} after",
        file.len() as f64 / 1_048_576.0,
        f64::from(rows) / took
    );
    report.at_most(&format!("import of {rows} products"), took, "s", SECONDS);
    report.at_most(
        "resident memory of erp while it imports, highest",
        highest,
        "MiB",
        MEMORY_MIB,
    );
    report.at_most(
        "growth of it from the first to the last fifth of the file",
        memory.growth(),
        "MiB",
        GROWTH_MIB,
    );
    report.note(
        "resident memory of erp before and after the import",
        format!("{before:.0} and {after:.0} MiB"),
    );

    let (again, took, _) = send(shop, stack, &file, rows).await?;
    println!("  the same file again: {took:.1} s");
    if again.unchanged != u64::from(rows) {
        let message = format!("of {rows} products only {} were unchanged", again.unchanged);
        return Err(Failure::new(message));
    }
    report.note("the same file again, which changes nothing", format!("{took:.0} s"));
    Ok(())
}

/// Products as a catalogue has them, with every column that is text.
fn file(rows: u32) -> Vec<u8> {
    let mut text = "sku,name,description,kind,unit,external_ref,tax_class\n".to_owned();
    for number in 1..=rows {
        // Into a string: cannot fail.
        let _ = writeln!(
            text,
            "IMPORT-{number:06},Imported part {number},\"Box of {} pieces, \"\"blue\"\"\",goods,pcs,old-{number},standard",
            number % 12 + 1
        );
    }
    text.into_bytes()
}

/// Sends the file, and watches memory and progress until it has been answered.
async fn send(shop: &Shop, stack: &Stack, file: &[u8], rows: u32) -> Result<(Import, f64, Memory)> {
    let id = Uuid::now_v7();
    let (started, mut memory, mut done) = (Instant::now(), Memory::default(), 0.0);
    let path = format!("/v1/imports?kind=products&id={id}");
    let sending = shop.erp.upload::<Import>(&path, file.to_vec());
    tokio::pin!(sending);
    loop {
        tokio::select! {
            answer = &mut sending => {
                let (import, took) = (answer?, started.elapsed().as_secs_f64());
                memory.0.push((1.0, mebibytes(stack.erp.pid, "VmRSS")?));
                return match import.status.as_str() {
                    "completed" => Ok((import, took, memory)),
                    other => Err(Failure::new(format!("the import is {other} after {} rows", import.rows))),
                };
            }
            () = tokio::time::sleep(LOOK_AGAIN) => {
                memory.0.push((done, mebibytes(stack.erp.pid, "VmRSS")?));
                // It is there from its first batch on.
                if let Ok(import) = shop.erp.get::<Import>(&format!("/v1/imports/{id}")).await {
                    done = import.rows as f64 / f64::from(rows);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, file};

    #[test]
    fn growth_is_between_the_ends_of_the_file() {
        let memory = Memory(vec![(0.0, 20.0), (0.1, 24.0), (0.5, 90.0), (0.9, 26.5), (1.0, 25.0)]);
        assert_eq!((memory.growth(), memory.highest_between(0.0, 1.0)), (2.5, 90.0));
        assert_eq!(Memory(vec![(0.0, 20.0), (1.0, 19.0)]).growth(), 0.0);
    }

    #[test]
    fn every_row_is_a_line() {
        let file = String::from_utf8(file(3)).unwrap();
        assert_eq!(file.lines().count(), 4);
        assert!(
            file.ends_with(
                "IMPORT-000003,Imported part 3,\"Box of 4 pieces, \"\"blue\"\"\",goods,pcs,old-3,standard\n"
            )
        );
    }
}
