//! Time: the one place that asks what time it is, so that the same drive loop runs in real and in simulated time.

use std::time::{Duration, Instant};

pub(crate) mod limit;
mod precise;
#[cfg(test)]
mod tests;

/// A monotonic clock that can be waited on.
#[warn(missing_docs)]
pub trait Clock {
    /// Nanoseconds since some fixed point.
    fn now_ns(&self) -> u64;

    /// Waits until `now_ns()` has reached `deadline_ns`; at once if it has already.
    fn sleep_until(&self, deadline_ns: u64) -> impl Future<Output = ()>;
}

/// The machine's monotonic clock, on a tokio runtime with its timer.
#[derive(Debug, Clone, Copy)]
pub struct RealClock {
    origin: Instant,
}

impl RealClock {
    /// A clock that starts at 0 now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
    fn now_ns(&self) -> u64 {
        u64::try_from(Instant::now().duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX)
    }

    async fn sleep_until(&self, deadline_ns: u64) {
        let remaining = |now_ns| Duration::from_nanos(deadline_ns.saturating_sub(now_ns));
        let whole = remaining(self.now_ns());
        if whole > precise::FINAL_PART {
            let first_part = whole.saturating_sub(precise::FINAL_PART);
            precise::coarse(first_part).await;
        }
        let rest = remaining(self.now_ns());
        if !rest.is_zero() {
            precise::wait(rest).await;
        }
    }
}

/// A trial's own time: nanoseconds since it began, on the clock beneath.
#[derive(Debug)]
pub struct TrialClock<'c, C> {
    clock: &'c C,
    origin_ns: u64,
}

impl<'c, C: Clock> TrialClock<'c, C> {
    /// A trial that begins now.
    pub fn begin(clock: &'c C) -> Self {
        Self { clock, origin_ns: clock.now_ns() }
    }

    /// Nanoseconds since the trial began.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.clock.now_ns().saturating_sub(self.origin_ns)
    }

    /// Waits until a time of the trial.
    pub async fn sleep_until(&self, t_ns: u64) {
        self.clock.sleep_until(self.origin_ns.saturating_add(t_ns)).await;
    }

    /// When the trial began, on the clock beneath.
    #[must_use]
    pub fn origin_ns(&self) -> u64 {
        self.origin_ns
    }
}

/// The wall clock, in seconds since 1970: it dates a run and measures nothing.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
pub fn unix_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
