//! A progress bar per step; plain lines where nobody watches.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Where steps show. Standard error, so that the summary on standard output stands alone.
#[derive(Clone)]
pub struct Progress {
    bars: Option<MultiProgress>,
}

impl Default for Progress {
    fn default() -> Self {
        Progress {
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
        }
    }
}

impl Progress {
    /// A step of so many things; 0 for one whose length nobody knows.
    pub fn step(&self, name: &'static str, things: usize) -> Step {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(things as u64));
            bar.set_style(style(things));
            bar.set_message(name);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Step {
            name,
            things,
            started: Instant::now(),
            bar,
        }
    }

    /// A line above the bars.
    pub fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) if bars.println(line).is_ok() => {}
            _ => eprintln!("{line}"),
        }
    }
}

fn style(things: usize) -> ProgressStyle {
    let template = match things {
        0 => "  {message:<34} {spinner}",
        _ => "  {message:<34} {bar:30} {pos:>5}/{len}",
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

/// A step under way. Dropped before [`Step::done`], it stays as far as it came.
pub struct Step {
    name: &'static str,
    things: usize,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Step {
    /// One thing is done.
    pub fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// So many things are done.
    pub fn at(&self, position: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(position as u64);
        }
    }

    /// The step is done: its line stays, with the time that it took.
    pub fn done(self) {
        let count = match self.things {
            0 => String::new(),
            things => format!("{things:>6}"),
        };
        let seconds = self.started.elapsed().as_secs_f64();
        let line = format!("  {:<34} {count:>6}  {seconds:>5.1} s", self.name);
        match &self.bar {
            Some(bar) => {
                bar.set_style(ProgressStyle::with_template("{message}").unwrap_or_else(|_| ProgressStyle::default_bar()));
                bar.finish_with_message(line);
            }
            None => eprintln!("{line}"),
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar
            && !bar.is_finished()
        {
            bar.abandon();
        }
    }
}
