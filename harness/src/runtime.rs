//! The runtime of the thread that measures.

use std::{cell::Cell, io, time::Duration};

use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Runtime};

use crate::clock::{Clock, RealClock};

/// Reads per second from which reads are gathered: less than half of what one thread can do, and forty times what a Spark sends.
const GATHER_FROM_PER_S: u64 = 40_000;

/// How long a busy thread waits for more to read before it looks. The kernel adds its slack for short sleeps, 50 us.
const GATHER: Duration = Duration::from_micros(20);

/// How often the rate is looked at, in nanoseconds.
const PERIOD_NS: u64 = 2_000_000;

/// The last in line for a processor, as nice(2) counts.
const LEAST_PRIORITY: i32 = 19;

thread_local! {
    /// Reads of this thread so far.
    static READS: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn count_read() {
    READS.set(READS.get() + 1);
}

/// One thread, with tokio's timers and sockets: what is measured is the engine, and a second thread would only take its cores.
///
/// At rates at which waking up for each chunk would take most of a core, it lets some come together: that costs each stamp a tenth of a
/// millisecond at most, where a client that falls behind would cost it more.
pub fn measuring() -> io::Result<Runtime> {
    let clock = RealClock::start();
    Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || {
            if is_busy(clock.now_ns(), READS.get()) {
                std::thread::sleep(GATHER);
            }
        })
        // Threads for what must not hold up this one. They may run only where it runs if it is kept on a processor, so they give way.
        .on_thread_start(|| {
            // A machine that does not allow it has said so; the timer's lag in the record tells what came of it.
            let _ = setpriority_process(None, LEAST_PRIORITY);
        })
        .build()
}

/// Whether this thread reads so much that it should gather, by its reads since some time ago.
fn is_busy(now_ns: u64, reads: u64) -> bool {
    thread_local! {
        static SINCE: Cell<(u64, u64, bool)> = const { Cell::new((0, 0, false)) };
    }
    let (before_ns, before_reads, was_busy) = SINCE.get();
    let (span_ns, more) = (now_ns.saturating_sub(before_ns), reads.saturating_sub(before_reads));
    if span_ns < PERIOD_NS {
        return was_busy;
    }
    let is_busy = more.saturating_mul(1_000_000_000) / span_ns >= GATHER_FROM_PER_S;
    SINCE.set((now_ns, reads, is_busy));
    is_busy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_gathered_at_high_rates() {
        std::thread::spawn(|| {
            let mut results = Vec::new();
            // Every half millisecond: no reads, 30 of them (60,000 a second), 10 of them (20,000 a second), none.
            let (mut now_ns, mut reads) = (0, 0);
            for more in [0, 30, 10, 0] {
                for _ in 0..8 {
                    now_ns += 500_000;
                    reads += more;
                    results.push(is_busy(now_ns, reads));
                }
            }
            let busy: Vec<usize> = results.iter().enumerate().filter(|(_, busy)| **busy).map(|(at, _)| at).collect();
            assert_eq!(busy, (11..19).collect::<Vec<_>>());
        })
        .join()
        .unwrap();
    }
}
