//! The end of a container that we ask for: a signal, a wait, a kill.

use std::time::Duration;

use record::recipe;
use testcontainers::bollard::{Docker, errors::Error as BollardError, query_parameters::KillContainerOptionsBuilder};
use tokio::time::timeout;

use super::{
    ended::{End, wait_until_ended},
    remove::{retry, within_limit},
    watch::Watch,
};
use crate::clock::{Clock, RealClock};

/// How long a container may take to end once it is killed: a GPU's memory is given back first.
const KILL_LIMIT: Duration = Duration::from_mins(1);

/// Asks it to stop, then kills it. Says how it went and how long it took.
pub(super) async fn stop_container(docker: &Docker, id: &str, watch: &Watch, settings: &recipe::Container) -> String {
    if let Some(End::Exited(how)) = watch.has_ended() {
        return format!("had ended before: {how}");
    }
    let clock = RealClock::start();
    let signal = match settings.stop_signal {
        recipe::StopSignal::Term => "SIGTERM",
        recipe::StopSignal::Int => "SIGINT",
    };
    let grace_s = settings.stop_grace_s;
    // What was not heard is not waited for.
    if send(docker, id, signal).await.is_ok() {
        let asked_ns = clock.now_ns();
        if let Some(how) = wait_for_end(Duration::from_secs(grace_s.into()), docker, id, watch).await {
            return format!("stopped when asked after {:.1} s: {how}", (clock.now_ns() - asked_ns) as f64 / 1e9);
        }
    }
    match send(docker, id, "SIGKILL").await {
        Ok(()) => match wait_for_end(KILL_LIMIT, docker, id, watch).await {
            Some(how) => format!("killed after {grace_s} s of not stopping: {how}"),
            None => format!("does not end, though it was killed {} s ago", KILL_LIMIT.as_secs()),
        },
        Err(error) => format!("could not be stopped, since Docker stopped answering: {error}"),
    }
}

/// Sends a signal. An error means that the daemon did not hear of it.
async fn send(docker: &Docker, id: &str, signal: &str) -> Result<(), BollardError> {
    let options = KillContainerOptionsBuilder::new().signal(signal).build();
    let is_silent = |error: &BollardError| !matches!(error, BollardError::DockerResponseServerError { .. });
    let sent = retry(async || within_limit(docker.kill_container(id, Some(options.clone()))).await, is_silent).await;
    match sent {
        Err(error) if is_silent(&error) => Err(error),
        // A refusal means that it ended just now, which the wait sees.
        _ => Ok(()),
    }
}

/// How it ended, if it does in time. A watch that has lost the daemon hears of no end, so a new one begins.
async fn wait_for_end(limit: Duration, docker: &Docker, id: &str, watch: &Watch) -> Option<String> {
    let ended = async {
        match watch.end().await {
            End::DaemonLost(_) => wait_until_ended(docker, id, watch.memory_limit_mib()).await,
            known @ End::Exited(_) => known,
        }
    };
    match timeout(limit, ended).await {
        Ok(End::Exited(how)) => Some(how),
        Ok(End::DaemonLost(_)) | Err(_) => None,
    }
}
