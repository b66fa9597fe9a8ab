//! A progress bar per step; plain lines where nobody watches.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Where steps show: standard error, so that the summary on standard output stands alone.
#[derive(Clone)]
pub struct Progress {
    bars: Option<MultiProgress>,
    /// How many bars there are on the screen.
    active: Arc<AtomicUsize>,
}

impl Default for Progress {
    fn default() -> Self {
        Progress {
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
            active: Arc::default(),
        }
    }
}

impl Progress {
    /// A step of so many things; 0 for one that cannot be counted.
    pub fn step(&self, name: &'static str, things: usize) -> Step {
        let bar = self.bars.as_ref().map(|bars| {
            self.active.fetch_add(1, Ordering::Relaxed);
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
            progress: self.clone(),
            bar,
        }
    }

    /// A line above the bars. Nobody may be left to read it: that is no reason to fail.
    pub fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) if self.active.load(Ordering::Relaxed) > 0 && bars.println(line).is_ok() => {}
            _ => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }

    fn take_down(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        if let Some(bars) = &self.bars {
            bars.remove(bar);
        }
        self.active.fetch_sub(1, Ordering::Relaxed);
    }
}

fn style(things: usize) -> ProgressStyle {
    let template = match things {
        0 => "  {msg:<34} {spinner}",
        _ => "  {msg:<34} {bar:30} {pos:>5}/{len}",
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

/// A step under way. Dropped before [`Step::done`], it says how far it came.
pub struct Step {
    name: &'static str,
    things: usize,
    started: Instant,
    progress: Progress,
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

    /// The step is done: a line with the time that it took stays in the place of its bar.
    pub fn done(mut self) {
        let count = match self.things {
            0 => String::new(),
            things => things.to_string(),
        };
        let seconds = self.started.elapsed().as_secs_f64();
        if let Some(bar) = self.bar.take() {
            self.progress.take_down(&bar);
        }
        let line = format!("  {:<34} {count:>6} {seconds:>6.1} s", self.name);
        self.progress.say(&line);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            let position = bar.position();
            self.progress.take_down(&bar);
            self.progress
                .say(&format!("  {:<34} {position:>6}, broken off", self.name));
        }
    }
}
