//! How a container ended, in words, and the wait for it.

use std::time::Duration;

use futures_util::StreamExt;
use testcontainers::bollard::{
    Docker, errors::Error as BollardError, models::ContainerState, query_parameters::WaitContainerOptionsBuilder,
};
use tokio::time::timeout;

use super::docker::is_not_found;
use crate::clock::{Clock, RealClock};

/// Between two looks, where waiting does not work.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a daemon may be silent: it is restarted in less.
const SILENCE: Duration = Duration::from_secs(20);
/// How long it may take to say how a container is.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// The end of a container, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// It has ended, in these words.
    Exited(String),
    /// The daemon was lost, and it may still run.
    DaemonLost(String),
}

impl End {
    pub(super) fn into_description(self) -> String {
        match self {
            Self::Exited(words) | Self::DaemonLost(words) => words,
        }
    }
}

/// How a container ended; none if it runs.
pub(super) fn describe(state: &ContainerState, memory_limit_mib: Option<u32>) -> Option<String> {
    if state.running.unwrap_or(false) {
        return None;
    }
    let code = state.exit_code.unwrap_or(-1);
    let mut words = format!("exit code {code}");
    if let Some(signal) = signal_name(code) {
        words = format!("{words} ({signal})");
    }
    if state.oom_killed.unwrap_or(false) {
        let memory = match memory_limit_mib {
            Some(mib) => format!("out of its memory limit of {mib} MiB"),
            None => "the machine was out of memory".to_owned(),
        };
        words = format!("killed: {memory}, {words}");
    }
    if let Some(error) = state.error.as_deref().filter(|error| !error.is_empty()) {
        words = format!("{words}; Docker says: {error}");
    }
    Some(words)
}

/// A process that a signal ends leaves 128 and the signal's number as its code.
fn signal_name(code: i64) -> Option<&'static str> {
    Some(match code - 128 {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

/// Waits until a container has ended, or until Docker has not answered for too long.
pub(super) async fn wait_until_ended(docker: &Docker, id: &str, memory_limit_mib: Option<u32>) -> End {
    let clock = RealClock::start();
    let (mut began, mut silence) = (None, Silence::default());
    loop {
        let looked_ns = clock.now_ns();
        match state(docker, id).await {
            Ok(state) => {
                silence.reset();
                if let Some(how) = describe(&state, memory_limit_mib) {
                    return End::Exited(describe_after_pause(docker, id, memory_limit_mib, &state, how).await);
                }
                if was_restarted(&mut began, &state) {
                    return End::Exited("it was restarted from outside".to_owned());
                }
                let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
                // What it answers does not matter (an exit code other than 0 comes as an error): the state says more.
                let _ = Box::pin(docker.wait_container(id, Some(options))).next().await;
                if clock.now_ns() - looked_ns > as_ns(PAUSE) {
                    continue;
                }
            }
            Err(error) if is_not_found(&error) => return End::Exited("it was removed from outside".to_owned()),
            Err(error) if silence.exceeds_limit(clock.now_ns()) => {
                return End::DaemonLost(format!("Docker stopped answering: {error}"));
            }
            Err(_) => {}
        }
        clock.sleep_until(clock.now_ns() + as_ns(PAUSE)).await;
    }
}

/// How long the daemon has not answered.
#[derive(Debug, Default)]
struct Silence {
    since_ns: Option<u64>,
}

impl Silence {
    fn reset(&mut self) {
        self.since_ns = None;
    }

    /// Counts another failed attempt. The silence begins with the first: before it, there may have been no attempt for hours.
    fn exceeds_limit(&mut self, now_ns: u64) -> bool {
        now_ns - *self.since_ns.get_or_insert(now_ns) > as_ns(SILENCE)
    }
}

/// Whether a container that runs was started another time than the one that was seen first.
fn was_restarted(began: &mut Option<String>, state: &ContainerState) -> bool {
    let Some(at) = &state.started_at else { return false };
    began.get_or_insert_with(|| at.clone()) != at
}

/// Describes the end, after a pause where needed: the news of a kill for memory may come to the daemon a moment after the end itself.
async fn describe_after_pause(
    docker: &Docker,
    id: &str,
    limit: Option<u32>,
    state_before: &ContainerState,
    how: String,
) -> String {
    if limit.is_none() || state_before.exit_code != Some(137) || state_before.oom_killed.unwrap_or(false) {
        return how;
    }
    let clock = RealClock::start();
    clock.sleep_until(as_ns(PAUSE)).await;
    state(docker, id).await.ok().and_then(|state| describe(&state, limit)).unwrap_or(how)
}

async fn state(docker: &Docker, id: &str) -> Result<ContainerState, BollardError> {
    let look = timeout(LOOK_LIMIT, docker.inspect_container(id, None)).await;
    Ok(look.unwrap_or(Err(BollardError::RequestTimeoutError))?.state.unwrap_or_default())
}

fn as_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_states_are_described() {
        let state = |code, oom_killed: bool, error: &str| ContainerState {
            running: Some(false),
            exit_code: Some(code),
            oom_killed: Some(oom_killed),
            error: Some(error.to_owned()),
            ..ContainerState::default()
        };
        let words = [
            (state(0, false, ""), None),
            (state(7, false, ""), Some(512)),
            (state(137, false, ""), None),
            (state(137, true, ""), Some(512)),
            (state(1, true, ""), None),
            (state(143, false, ""), None),
            (state(255, false, "no space left"), None),
        ]
        .map(|(state, limit)| describe(&state, limit).unwrap());
        insta::assert_snapshot!(words.join("\n"), @"
        exit code 0
        exit code 7
        exit code 137 (SIGKILL)
        killed: out of its memory limit of 512 MiB, exit code 137 (SIGKILL)
        killed: the machine was out of memory, exit code 1
        exit code 143 (SIGTERM)
        exit code 255; Docker says: no space left
        ");
        assert_eq!(describe(&ContainerState { running: Some(true), ..ContainerState::default() }, None), None);
    }

    #[test]
    fn daemon_is_lost_after_continuous_silence() {
        const S: u64 = 1_000_000_000;
        let mut silence = Silence::default();
        // Hours after the wait began, the first failure is only the first.
        let hours = 5 * 3600 * S;
        for (after_s, expected) in [(0, false), (1, false), (20, false), (21, true)] {
            assert_eq!(silence.exceeds_limit(hours + after_s * S), expected, "{after_s} s");
        }
        silence.reset();
        assert!(!silence.exceeds_limit(hours + 22 * S) && !silence.exceeds_limit(hours + 40 * S));
        assert!(silence.exceeds_limit(hours + 43 * S));
    }

    #[test]
    fn container_restart_is_detected_by_start_time() {
        let at = |at: Option<&str>| ContainerState { started_at: at.map(str::to_owned), ..ContainerState::default() };
        let mut began = None;
        for (started, expected) in [(None, false), (Some("t1"), false), (Some("t1"), false), (None, false), (Some("t2"), true)] {
            assert_eq!(was_restarted(&mut began, &at(started)), expected, "{started:?}");
        }
    }
}
