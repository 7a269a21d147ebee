//! Requests in flight over time, by a sweep line.

use record::Observation;

use super::between;

#[cfg(test)]
mod tests;

/// Share of the target that must be in flight for a moment to count as steady.
pub const STEADY_PERCENT: u32 = 95;

/// Shortest steady state, in nanoseconds: less is a handful of decode steps and prefills, not a state.
pub const STEADY_MIN_NS: u64 = 10_000_000_000;

/// Shortest steady state as a part of the trial: one in so many.
pub const STEADY_MIN_PART: u64 = 10;

/// A stream that ends one request and sends its next leaves a dip of the client's own making. One no longer than the send lag that
/// is tolerated anywhere does not end a steady state.
pub const TURNAROUND_NS: u64 = 50_000_000;

/// The number of requests in flight over a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlight {
    /// The number from each time on; ascending, one entry per time.
    steps: Vec<(u64, u32)>,
    duration_ns: u64,
}

impl InFlight {
    /// Sweeps over `[send, end)` of every request that was sent; one without an end lasts until the trial's. At the same time, ends
    /// come before starts.
    #[must_use]
    pub fn of(observations: &[Observation], duration_ns: u64) -> Self {
        let spans =
            observations.iter().filter_map(|observation| Some((observation.send_ns?, observation.end_ns.unwrap_or(duration_ns))));
        let spans = spans.filter(|(send, end)| send < end);
        // `false` sorts before `true`: ends come first.
        let mut events: Vec<(u64, bool)> = spans.flat_map(|(send, end)| [(send, true), (end, false)]).collect();
        events.sort_unstable();
        let mut now = 0_u32;
        let mut steps: Vec<(u64, u32)> = Vec::new();
        for (t_ns, starts) in events {
            now = if starts { now + 1 } else { now - 1 };
            match steps.last_mut() {
                Some(last) if last.0 == t_ns => last.1 = now,
                _ => steps.push((t_ns, now)),
            }
        }
        Self { steps, duration_ns }
    }

    /// The largest number at once.
    #[must_use]
    pub fn peak(&self) -> u32 {
        self.steps.iter().map(|&(_, count)| count).max().unwrap_or(0)
    }

    /// The mean over the trial; none of a trial without duration.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let area: f64 = self.spans().map(|(from, to, count)| between(from, to) * f64::from(count)).sum();
        (self.duration_ns > 0).then(|| area / self.duration_ns as f64)
    }

    /// The longest span with at least [`STEADY_PERCENT`] of `target` in flight, as its two ends.
    #[must_use]
    pub fn longest_steady(&self, target: u32) -> Option<(u64, u64)> {
        let need = (u64::from(target) * u64::from(STEADY_PERCENT)).div_ceil(100).max(1);
        let mut longest: Option<(u64, u64)> = None;
        let mut open: Option<(u64, u64)> = None;
        for (from, to, _) in self.spans().filter(|&(.., count)| u64::from(count) >= need) {
            let span = match open {
                Some((begin, end)) if from - end <= TURNAROUND_NS => (begin, to),
                _ => (from, to),
            };
            open = Some(span);
            if longest.is_none_or(|(begin, end)| span.1 - span.0 > end - begin) {
                longest = Some(span);
            }
        }
        longest
    }

    /// Spans of a constant count, in order, cut at the trial's end.
    fn spans(&self) -> impl Iterator<Item = (u64, u64, u32)> {
        let ends = self.steps.iter().skip(1).map(|&(t_ns, _)| t_ns).chain([self.duration_ns]);
        let cut = self.duration_ns;
        self.steps
            .iter()
            .zip(ends)
            .map(move |(&(from, count), to)| (from.min(cut), to.min(cut), count))
            .filter(|(from, to, _)| from < to)
    }
}

/// The shortest span that counts as a steady state of a trial, in nanoseconds.
#[must_use]
pub fn steady_min_ns(duration_ns: u64) -> u64 {
    STEADY_MIN_NS.max(duration_ns / STEADY_MIN_PART)
}

/// Little's law (Little, *A Proof for the Queuing Formula L = λW*, 1961): ended requests per second times their mean time in flight.
/// It must agree with [`InFlight::mean`]; where it does not, stamps are missing or lie outside the trial.
#[must_use]
pub fn by_littles_law(observations: &[Observation], duration_ns: u64) -> Option<f64> {
    let in_flight_ns: f64 =
        observations.iter().filter_map(|observation| Some(between(observation.send_ns?, observation.end_ns?))).sum();
    (duration_ns > 0).then(|| in_flight_ns / duration_ns as f64)
}
