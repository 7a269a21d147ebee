//! Progress of a run, reported as it happens: a bar with the time left at a terminal, nothing elsewhere.

use std::{cell::RefCell, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use record::Cell;

/// Receives the events of a run.
#[warn(missing_docs)]
pub trait Progress {
    /// The engine is started, for the boot of this place among those planned, from 0.
    fn boot_started(&self, place: u32, boots: u32);
    /// It has answered with a token, after this long.
    fn ready(&self, ready_ns: Option<u64>);
    /// A trial begins, its warm-up first: of this place among those planned, from 0.
    fn trial_started(&self, cell: &Cell, place: u32, trials: u32);
    /// It was invalid and begins again; it still counts once.
    fn trial_repeated(&self, cell: &Cell);
    /// It is on the disk. `left_s` is the time left for the rest.
    fn trial_ended(&self, left_s: f64);
    /// The engine is being stopped.
    fn stopping(&self);
    /// The run is over.
    fn ended(&self);
}

/// A progress bar on stderr, hidden where that is no terminal.
#[derive(Debug)]
pub struct TerminalProgress {
    bar: ProgressBar,
    /// The time left as of the last trial's end.
    left: RefCell<String>,
}

impl TerminalProgress {
    /// A bar over this many trials.
    #[must_use]
    pub fn new(trials: u32) -> Self {
        let bar = ProgressBar::with_draw_target(Some(trials.into()), ProgressDrawTarget::stderr_with_hz(4));
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        Self { bar, left: RefCell::default() }
    }
}

impl Progress for TerminalProgress {
    fn boot_started(&self, place: u32, boots: u32) {
        self.bar.set_message(format!("boot {} of {boots}", place + 1));
        self.bar.enable_steady_tick(Duration::from_millis(500));
    }

    fn ready(&self, ready_ns: Option<u64>) {
        if let Some(ready_ns) = ready_ns {
            self.bar.set_message(format!("ready after {:.1} s", ready_ns as f64 / 1e9));
        }
        // The ticker's thread must not wake during a trial.
        self.bar.disable_steady_tick();
    }

    fn trial_started(&self, cell: &Cell, _place: u32, _trials: u32) {
        self.bar.set_message(format!("{}{}", cell.name(), self.left.borrow()));
    }

    fn trial_repeated(&self, cell: &Cell) {
        self.bar.set_message(format!("{} again, since it was invalid{}", cell.name(), self.left.borrow()));
    }

    fn trial_ended(&self, left_s: f64) {
        self.bar.inc(1);
        self.left.replace(format!(", about {} left", format_duration(left_s)));
    }

    fn stopping(&self) {
        self.bar.set_message("stopping the engine");
    }

    fn ended(&self) {
        self.bar.finish_and_clear();
    }
}

/// A duration for people.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a display, clamped first")]
pub fn format_duration(seconds: f64) -> String {
    let seconds = seconds.clamp(0.0, 1e9).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::format_duration;

    #[test]
    fn duration_is_formatted_for_reading() {
        let words: Vec<_> = [0.4, 59.0, 61.0, 3599.6, 7260.0, -1.0].map(format_duration).into();
        assert_eq!(words, ["0 s", "59 s", "1 min 01 s", "1 h 00 min", "2 h 01 min", "0 s"]);
    }
}
