//! Waiting until a moment, and not until the millisecond after it.
//!
//! tokio's timer counts in milliseconds and wakes late by one on average, which an open loop would show as send lag. So it is used for the
//! long part of a wait, and the kernel's own high-resolution timer (`timerfd_create(2)`) for the end of it.

use std::time::Duration;

/// How long before its end a wait changes timers: more than tokio's can be late on an idle machine.
pub(super) const FINAL_PART: Duration = Duration::from_millis(3);

#[cfg(target_os = "linux")]
pub(super) async fn wait(remaining: Duration) {
    use rustix::{
        fd::OwnedFd,
        io::Result,
        time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime},
    };
    use tokio::net::unix::pipe::Receiver;

    fn armed(remaining: Duration) -> Result<OwnedFd> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Timespec { tv_nsec: i64::from(remaining.subsec_nanos()), tv_sec: remaining.as_secs().cast_signed() };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: never, it_value: once })?;
        Ok(timer)
    }

    // A timer is a descriptor that becomes readable, and a pipe's reading end is the one such thing that tokio waits for without `unsafe`;
    // it only waits here and never reads. `AsyncFd`, which was made for it, asks for an `unsafe` promise.
    let timer = armed(remaining).map_err(std::io::Error::from).and_then(Receiver::from_owned_fd_unchecked);
    let waited = match timer {
        Ok(timer) => timer.readable().await,
        Err(error) => Err(error),
    };
    if waited.is_err() {
        // Without a descriptor for it the wait is a coarse one, and the send lag in the record says how late it was.
        coarse(remaining).await;
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) async fn wait(remaining: Duration) {
    coarse(remaining).await;
}

/// Waits with tokio's timer.
#[expect(clippy::disallowed_methods, reason = "this is what a clock waits with")]
pub(super) async fn coarse(remaining: Duration) {
    tokio::time::sleep(remaining).await;
}
