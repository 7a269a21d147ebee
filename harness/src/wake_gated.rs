//! A future beside another one that is polled far more often.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::{FutureExt, future::LocalBoxFuture, task::AtomicWaker};

/// Polls a future once, and then only when it asked for it itself.
///
/// All requests of a trial are one task, so that each chunk polls all that waits beside it: limits, clocks, the wish to stop. Asking each
/// of them takes as long as reading the chunk; looking at a flag does not.
pub(crate) struct WakeGated<'a, T> {
    inner: LocalBoxFuture<'a, T>,
    flag: Arc<WakeFlag>,
    waker: Waker,
}

impl<'a, T> WakeGated<'a, T> {
    pub(crate) fn new(inner: impl Future<Output = T> + 'a) -> Self {
        let flag = Arc::new(WakeFlag { is_set: AtomicBool::new(true), outer: AtomicWaker::new() });
        Self { inner: inner.boxed_local(), waker: Waker::from(Arc::clone(&flag)), flag }
    }
}

impl<T> Future for WakeGated<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // First, so that a wake from now on wakes this task.
        self.flag.outer.register(context.waker());
        if !self.flag.is_set.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let Self { inner, waker, .. } = &mut *self;
        inner.as_mut().poll(&mut Context::from_waker(waker))
    }
}

struct WakeFlag {
    is_set: AtomicBool,
    outer: AtomicWaker,
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_set.store(true, Ordering::Release);
        self.outer.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::poll_fn, pin::pin};

    use futures_util::future::join;
    use tokio::{sync::oneshot, task::yield_now};

    use super::*;

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn gated_future_is_polled_only_when_woken() {
        let (sender, receiver) = oneshot::channel();
        let polls = Cell::new(0);
        let neighbour = async {
            for _ in 0..100 {
                yield_now().await;
            }
            sender.send(7).unwrap();
            for _ in 0..100 {
                yield_now().await;
            }
        };
        let mut receiver = pin!(receiver);
        let beside = WakeGated::new(poll_fn(|context| {
            polls.set(polls.get() + 1);
            receiver.as_mut().poll(context)
        }));
        let (output, ()) = run(join(beside, neighbour));
        assert_eq!((output, polls.get()), (Ok(7), 2));
    }

    #[test]
    fn gated_future_wakes_the_task_that_polled_last() {
        let (sender, receiver) = oneshot::channel();
        let mut beside = WakeGated::new(receiver);
        assert!(Pin::new(&mut beside).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        run(async {
            let sent = async {
                yield_now().await;
                sender.send(1).unwrap();
            };
            assert_eq!(join(beside, sent).await.0, Ok(1));
        });
    }
}
