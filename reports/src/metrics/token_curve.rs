//! Cumulative output tokens over time, over all requests of a trial.

use record::Observation;

use super::{SECOND_NS, arrivals};

#[cfg(test)]
mod tests;

/// The window of peak tok/s, in nanoseconds.
pub const PEAK_WINDOW_NS: u64 = 1_000_000_000;

/// The cumulative number of tokens as a piecewise linear curve.
///
/// The tokens of an arrival are spread evenly over the gap before it, as ITL shares it; those of a first arrival have no gap and come
/// at once. Spread, because an engine that sends every 16th token would otherwise gain a whole chunk in its best second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenCurve {
    points: Vec<Point>,
}

/// A corner of the curve: the number just before and just after a time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    t_ns: u64,
    before: f64,
    after: f64,
}

/// A change of the curve: tokens that came at once, and how much steeper it goes on, in tokens per nanosecond.
struct Change {
    t_ns: u64,
    jump: f64,
    slope: f64,
}

impl TokenCurve {
    /// The tokens of every request that has a count, served or not: the engine made them all.
    #[must_use]
    pub fn of(observations: &[Observation]) -> Self {
        let mut changes: Vec<Change> = Vec::new();
        for observation in observations {
            push_changes(observation, &mut changes);
        }
        changes.sort_unstable_by_key(|change| change.t_ns);
        let (mut slope, mut count) = (0.0, 0.0);
        let mut points: Vec<Point> = Vec::with_capacity(changes.len());
        for change in changes {
            match points.last_mut() {
                Some(last) if last.t_ns == change.t_ns => {
                    count += change.jump;
                    last.after = count;
                }
                last => {
                    let since_ns = last.map_or(0, |last| change.t_ns - last.t_ns);
                    count += slope * since_ns as f64;
                    let before = count;
                    count += change.jump;
                    points.push(Point { t_ns: change.t_ns, before, after: count });
                }
            }
            slope += change.slope;
        }
        Self { points }
    }

    /// Tokens inside a window, both ends included.
    #[must_use]
    pub fn inside(&self, from_ns: u64, to_ns: u64) -> f64 {
        let mut cursor = Cursor::new(&self.points);
        let before = cursor.before(from_ns);
        cursor.after(to_ns.max(from_ns)) - before
    }

    /// The most tokens in any window of [`PEAK_WINDOW_NS`], per second. None without tokens.
    ///
    /// Between corners the count in a sliding window changes linearly, so the best window begins or ends at one.
    #[must_use]
    pub fn peak_tok_s(&self) -> Option<f64> {
        let mut ends = Cursor::new(&self.points);
        let mut begins = Cursor::new(&self.points);
        let mut most: Option<f64> = None;
        for point in &self.points {
            let beginning = ends.after(point.t_ns.saturating_add(PEAK_WINDOW_NS)) - point.before;
            let ending = point.after - begins.before(point.t_ns.saturating_sub(PEAK_WINDOW_NS));
            most = Some(most.unwrap_or(0.0).max(beginning).max(ending));
        }
        most.map(|tokens| tokens * SECOND_NS / PEAK_WINDOW_NS as f64)
    }
}

fn push_changes(observation: &Observation, changes: &mut Vec<Change>) {
    let Some((t_ns, tokens)) = arrivals::first(observation) else { return };
    changes.push(Change { t_ns, jump: f64::from(tokens), slope: 0.0 });
    for arrival in arrivals::rest(observation) {
        let slope = f64::from(arrival.tokens) / arrival.gap_ns as f64;
        // The arrival before left a change at its own time: it is where this slope begins.
        if let Some(last) = changes.last_mut() {
            last.slope += slope;
        }
        changes.push(Change { t_ns: arrival.t_ns, jump: 0.0, slope: -slope });
    }
}

/// Reads the curve at ascending times, each corner once.
struct Cursor<'p> {
    points: &'p [Point],
    /// Corners at or before the time last asked for, or strictly before it.
    passed: usize,
}

impl<'p> Cursor<'p> {
    fn new(points: &'p [Point]) -> Self {
        Self { points, passed: 0 }
    }

    /// The count just before a time.
    fn before(&mut self, t_ns: u64) -> f64 {
        while self.points.get(self.passed).is_some_and(|point| point.t_ns < t_ns) {
            self.passed += 1;
        }
        self.read(t_ns)
    }

    /// The count just after a time.
    fn after(&mut self, t_ns: u64) -> f64 {
        while self.points.get(self.passed).is_some_and(|point| point.t_ns <= t_ns) {
            self.passed += 1;
        }
        self.read(t_ns)
    }

    /// On the line between the last corner passed and the next.
    fn read(&self, t_ns: u64) -> f64 {
        let Some(last) = self.passed.checked_sub(1).and_then(|index| self.points.get(index)) else { return 0.0 };
        let Some(next) = self.points.get(self.passed) else { return last.after };
        let part = (t_ns - last.t_ns) as f64 / (next.t_ns - last.t_ns) as f64;
        last.after + (next.before - last.after) * part
    }
}
