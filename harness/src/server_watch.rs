//! Reads a server's metrics once a second while a trial runs.

use std::convert::Infallible;

use futures_util::future::{self, Either};
use record::ServerReading;

use crate::{clock::Clock, endpoint::Endpoint, wake_gated::WakeGated};

/// From one reading to the next, in nanoseconds.
const PERIOD_NS: u64 = 1_000_000_000;
/// The longest that a reading may take, in nanoseconds.
const READING_LIMIT_NS: u64 = 5_000_000_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadingFailures {
    pub count: u32,
    /// Why the last of them did.
    pub last: Option<String>,
}

impl ReadingFailures {
    fn add(&mut self, why: String) {
        self.count += 1;
        self.last = Some(why);
    }
}

/// Runs `work` and reads the server's metrics beside it, at each whole second since it began. A reading that takes longer skips the
/// seconds that it misses, so that readings never pile up; one that takes more than five is given up and counts as failed. The end of
/// `work` ends the watch at once. A server without metrics is asked once.
pub async fn watch_server<E: Endpoint, C: Clock, W: Future>(
    endpoint: &E,
    clock: &C,
    work: W,
) -> (W::Output, Vec<ServerReading>, ReadingFailures) {
    let (mut readings, mut failures) = (Vec::new(), ReadingFailures::default());
    let output = {
        let watch = WakeGated::new(read_each_second(endpoint, clock, &mut readings, &mut failures));
        match future::select(Box::pin(work), watch).await {
            Either::Left((output, _)) => output,
            Either::Right((never, _)) => match never {},
        }
    };
    (output, readings, failures)
}

async fn read_each_second<E: Endpoint, C: Clock>(
    endpoint: &E,
    clock: &C,
    readings: &mut Vec<ServerReading>,
    failures: &mut ReadingFailures,
) -> Infallible {
    let began_ns = clock.now_ns();
    loop {
        let beats = clock.now_ns().saturating_sub(began_ns) / PERIOD_NS;
        clock.sleep_until(began_ns + (beats + 1) * PERIOD_NS).await;
        let asked_ns = clock.now_ns();
        let limit = Box::pin(clock.sleep_until(asked_ns + READING_LIMIT_NS));
        match future::select(Box::pin(endpoint.server_page()), limit).await {
            Either::Left((None, _)) => future::pending().await,
            Either::Left((Some(Ok(page)), _)) => readings.push(ServerReading {
                t_ns: asked_ns - began_ns,
                running: page.metrics.running,
                waiting: page.metrics.waiting,
                kv_usage: page.metrics.kv_usage,
                accepted_length: page.metrics.accepted_length,
            }),
            Either::Left((Some(Err(error)), _)) => failures.add(error.to_string()),
            Either::Right(_) => failures.add(format!("no page of metrics within {} s", READING_LIMIT_NS / 1_000_000_000)),
        }
    }
}
