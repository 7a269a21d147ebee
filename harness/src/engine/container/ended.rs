//! How a container ended, in words, and the wait for it.

use std::time::Duration;

use futures_util::StreamExt;
use testcontainers::bollard::{Docker, models::ContainerState, query_parameters::WaitContainerOptionsBuilder};

use super::docker::is_not_found;
use crate::clock::{Clock, RealClock};

/// Between two looks, where waiting does not work.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a daemon may be silent: it is restarted in less.
const SILENCE: Duration = Duration::from_secs(30);

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

/// Waits until a container has ended, and says how.
pub(super) async fn wait_until_ended(docker: &Docker, id: &str, memory_limit_mib: Option<u32>) -> String {
    let clock = RealClock::start();
    let pause = async || clock.sleep_until(clock.now_ns() + as_ns(PAUSE)).await;
    let mut heard_ns = clock.now_ns();
    loop {
        let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
        // What it answers does not matter (an exit code other than 0 comes as an error): the state says more.
        let _ = Box::pin(docker.wait_container(id, Some(options))).next().await;
        match state(docker, id).await {
            Ok(state) => match describe(&state, memory_limit_mib) {
                Some(how) => return settled(docker, id, memory_limit_mib, &state, how).await,
                None => heard_ns = clock.now_ns(),
            },
            Err(error) if is_not_found(&error) => return "it was removed by somebody else".to_owned(),
            Err(error) if clock.now_ns() - heard_ns > as_ns(SILENCE) => return format!("Docker answers no more: {error}"),
            Err(_) => {}
        }
        pause().await;
    }
}

/// The news of a kill for memory may come to the daemon a moment after the end itself.
async fn settled(docker: &Docker, id: &str, limit: Option<u32>, state_before: &ContainerState, how: String) -> String {
    if limit.is_none() || state_before.exit_code != Some(137) || state_before.oom_killed.unwrap_or(false) {
        return how;
    }
    let clock = RealClock::start();
    clock.sleep_until(as_ns(PAUSE)).await;
    state(docker, id).await.ok().and_then(|state| describe(&state, limit)).unwrap_or(how)
}

async fn state(docker: &Docker, id: &str) -> Result<ContainerState, testcontainers::bollard::errors::Error> {
    Ok(docker.inspect_container(id, None).await?.state.unwrap_or_default())
}

fn as_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_words() {
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
}
