//! The CPU time and timer lag of the instrument, and the activity of the whole machine, measured during every trial in real time.

use futures_util::future::{self, Either};
use rustix::time::{ClockId, clock_gettime};

use crate::{clock::Clock, machine::Activity, wake_gated::WakeGated};

/// How often the lag is looked at, in nanoseconds. Often enough for a 99th percentile in a trial of seconds, rarely enough to cost
/// nothing.
const PERIOD_NS: u64 = 10_000_000;

/// The cost of a trial to the measuring process and to its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstrumentCost {
    /// CPU time of the whole process, in nanoseconds.
    pub cpu_ns: Option<u64>,
    /// How late a 10 ms timer woke on the measuring thread, 99th percentile, in nanoseconds.
    pub timer_lag_p99_ns: u64,
    /// The worst of the same.
    pub timer_lag_max_ns: u64,
    /// The machine's activity in the same time, by every process.
    pub machine: Activity,
}

/// Runs `work` and watches what it costs.
pub async fn watch_instrument_cost<C: Clock, W: Future>(clock: &C, work: W) -> (W::Output, Option<InstrumentCost>) {
    let machine_before = Activity::read();
    let before_ns = cpu_ns();
    let mut lags_ns = Vec::new();
    let output = {
        let sample = WakeGated::new(sample_lag(clock, &mut lags_ns));
        match future::select(Box::pin(work), sample).await {
            Either::Left((output, _)) => output,
            Either::Right((never, _)) => match never {},
        }
    };
    let spent_ns = cpu_ns().saturating_sub(before_ns);
    let machine = Activity::read().since(machine_before);
    lags_ns.sort_unstable();
    let at = |share: usize| lags_ns.get((lags_ns.len() * share / 100).min(lags_ns.len().saturating_sub(1))).copied().unwrap_or(0);
    let cost = InstrumentCost { cpu_ns: Some(spent_ns), timer_lag_p99_ns: at(99), timer_lag_max_ns: at(100), machine };
    (output, Some(cost))
}

async fn sample_lag<C: Clock>(clock: &C, lags_ns: &mut Vec<u64>) -> std::convert::Infallible {
    let mut due_ns = clock.now_ns() + PERIOD_NS;
    loop {
        clock.sleep_until(due_ns).await;
        let now_ns = clock.now_ns();
        // All that were due meanwhile: a stall of ten periods was in the way ten times, and not once.
        while due_ns <= now_ns {
            lags_ns.push(now_ns - due_ns);
            due_ns += PERIOD_NS;
        }
    }
}

/// CPU time of this process so far.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let part = |value: i64| u64::try_from(value).unwrap_or(0);
    part(time.tv_sec) * 1_000_000_000 + part(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;

    use super::*;

    const MS: u64 = 1_000_000;

    /// A clock that wakes on time, but once, and after some waits never.
    struct StallingClock {
        now_ns: Cell<u64>,
        waits: Cell<u32>,
    }

    impl Clock for StallingClock {
        fn now_ns(&self) -> u64 {
            self.now_ns.get()
        }

        async fn sleep_until(&self, deadline_ns: u64) {
            self.waits.set(self.waits.get() + 1);
            match self.waits.get() {
                3 => self.now_ns.set(deadline_ns + 35 * MS),
                5 => future::pending().await,
                _ => self.now_ns.set(deadline_ns),
            }
        }
    }

    #[test]
    fn stall_counts_once_per_missed_timer_period() {
        let clock = StallingClock { now_ns: Cell::new(7), waits: Cell::new(0) };
        let mut lags_ns = Vec::new();
        assert!(sample_lag(&clock, &mut lags_ns).now_or_never().is_none());
        assert_eq!(lags_ns, [0, 0, 35 * MS, 25 * MS, 15 * MS, 5 * MS, 0]);
    }
}
