//! A limit on work that is polled often.

use std::pin::pin;

use futures_util::future::{self, Either};

use super::{Clock, TrialClock};
use crate::wake_gated::WakeGated;

/// Does `work` until the time that `due_ns` gives, which may move on as the work goes on; `None` if it came first. One timer per limit
/// instead of one per step of the work.
pub(crate) async fn until<C: Clock, W: Future>(
    clock: &TrialClock<'_, C>,
    work: W,
    due_ns: impl Fn() -> u64,
) -> Option<W::Output> {
    let passed = WakeGated::new(async {
        loop {
            let due_ns = due_ns();
            if due_ns <= clock.now_ns() {
                return;
            }
            clock.sleep_until(due_ns).await;
        }
    });
    match future::select(pin!(work), passed).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
