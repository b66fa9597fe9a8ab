//! The tables at the end: what was measured, the target, and whether it is met.

use std::fmt;

/// Ours against a limit.
pub struct Contest {
    pub what: &'static str,
    /// A second.
    pub ours: f64,
    pub against: &'static str,
    /// A second; `None` when it could not be measured.
    pub limit: Option<f64>,
    /// Of the ratio.
    pub target: Option<f64>,
}

struct Figure {
    what: String,
    measured: String,
    target: String,
    verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Met,
    Missed,
    Skipped,
    /// Nothing was promised.
    None,
}

pub struct Report {
    machine: String,
    contests: Vec<Contest>,
    figures: Vec<Figure>,
}

impl Report {
    pub fn new(postgres: &str) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Report {
            machine: format!("{cores} processors ({}), PostgreSQL {postgres}", processor()),
            contests: Vec::new(),
            figures: Vec::new(),
        }
    }

    pub fn contest(&mut self, contest: Contest) {
        self.contests.push(contest);
    }

    pub fn at_most(&mut self, what: &str, measured: f64, unit: &str, target: f64) {
        self.figure(what, measured, unit, format!("≤ {target}"), measured <= target);
    }

    pub fn at_least(&mut self, what: &str, measured: f64, unit: &str, target: f64) {
        self.figure(what, measured, unit, format!("≥ {target}"), measured >= target);
    }

    fn figure(&mut self, what: &str, measured: f64, unit: &str, target: String, met: bool) {
        self.figures.push(Figure {
            what: what.to_owned(),
            measured: format!("{measured:.0} {unit}"),
            target: format!("{target} {unit}"),
            verdict: if met { Verdict::Met } else { Verdict::Missed },
        });
    }

    /// A figure without a target.
    pub fn note(&mut self, what: &str, measured: String) {
        self.figures.push(Figure {
            what: what.to_owned(),
            measured,
            target: String::new(),
            verdict: Verdict::None,
        });
    }

    /// What was skipped is not missed.
    pub fn all_met(&self) -> bool {
        let contests = self.contests.iter().map(Contest::verdict);
        let mut verdicts = contests.chain(self.figures.iter().map(|figure| figure.verdict));
        verdicts.all(|verdict| verdict != Verdict::Missed)
    }
}

impl Contest {
    fn ratio(&self) -> Option<f64> {
        self.limit.map(|limit| self.ours / limit)
    }

    fn verdict(&self) -> Verdict {
        match (self.target, self.ratio()) {
            (None, _) => Verdict::None,
            (Some(_), None) => Verdict::Skipped,
            (Some(target), Some(ratio)) if ratio >= target => Verdict::Met,
            _ => Verdict::Missed,
        }
    }

    fn cells(&self) -> Vec<String> {
        let shown = |number: Option<f64>, decimals: usize| number.map_or("-".to_owned(), |n| format!("{n:.decimals$}"));
        vec![
            self.what.to_owned(),
            format!("{:.0}", self.ours),
            self.against.to_owned(),
            shown(self.limit, 0),
            shown(self.ratio(), 2),
            self.target.map_or(String::new(), |target| format!("≥ {target:.2}")),
            self.verdict().to_string(),
        ]
    }
}

impl Figure {
    fn cells(&self) -> Vec<String> {
        vec![
            self.what.clone(),
            self.measured.clone(),
            self.target.clone(),
            self.verdict.to_string(),
        ]
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Met => "yes",
            Verdict::Missed => "NO",
            Verdict::Skipped => "skipped",
            Verdict::None => "",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        if !self.contests.is_empty() {
            let head = [
                "the ERP against PostgreSQL",
                "ours/s",
                "limit",
                "limit/s",
                "ratio",
                "target",
                "ok",
            ];
            table(f, &head, self.contests.iter().map(Contest::cells).collect())?;
        }
        if !self.figures.is_empty() {
            table(
                f,
                &["what", "measured", "target", "ok"],
                self.figures.iter().map(Figure::cells).collect(),
            )?;
        }
        Ok(())
    }
}

/// As Markdown, so that it can be put into a document as it is.
fn table(f: &mut fmt::Formatter<'_>, head: &[&str], rows: Vec<Vec<String>>) -> fmt::Result {
    let length = |text: &str| text.chars().count();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| length(cell));
        cells.chain([length(head[column]), 3]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    writeln!(f)?;
    let mut line = |cells: Vec<&str>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(f, "| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    line(head.to_vec())?;
    line(dashes.iter().map(String::as_str).collect())?;
    rows.iter()
        .try_for_each(|row| line(row.iter().map(String::as_str).collect()))
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or("unknown", |(_, name)| name.trim()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Contest, Report};

    fn contest(ours: f64, limit: Option<f64>, target: Option<f64>) -> Contest {
        Contest {
            what: "orders",
            ours,
            against: "w1.sql",
            limit,
            target,
        }
    }

    #[test]
    fn a_target_is_met_missed_or_skipped() {
        let verdict = |ours, limit, target| contest(ours, limit, target).verdict().to_string();
        assert_eq!(verdict(500.0, Some(1_000.0), Some(0.5)), "yes");
        assert_eq!(verdict(499.0, Some(1_000.0), Some(0.5)), "NO");
        assert_eq!(verdict(499.0, None, Some(0.5)), "skipped");
        assert_eq!(verdict(499.0, Some(1_000.0), None), "");
    }

    #[test]
    fn one_missed_target_is_enough() {
        let mut report = Report::new("15");
        report.contest(contest(1.0, None, Some(0.5)));
        report.at_most("p50", 100.0, "ms", 100.0);
        report.at_least("orders", 300.0, "orders/s", 300.0);
        assert!(report.all_met());
        report.at_most("p99", 500.1, "ms", 500.0);
        assert!(!report.all_met());
    }

    #[test]
    fn tables_are_markdown() {
        let mut report = Report::new("15");
        report.at_most("p50", 23.4, "ms", 100.0);
        let text = report.to_string();
        assert!(
            text.ends_with(
                "\n\n| what | measured | target   | ok  |\n| ---- | -------- | -------- | --- |\n\
             | p50  | 23 ms    | ≤ 100 ms | yes |\n"
            ),
            "{text}"
        );
    }
}
