//! Removal of a container, and patience with a daemon that is just being restarted.

use std::time::Duration;

use testcontainers::bollard::{Docker, errors::Error as BollardError, query_parameters::RemoveContainerOptionsBuilder};
use tokio::time::timeout;

use super::docker::{from_bollard, is_being_removed, is_not_found};
use crate::{
    clock::{Clock, RealClock},
    engine::DockerError,
};

/// How long one answer may take: a removal kills first, and a GPU's memory is given back before that is done.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);
/// How long a daemon is asked again and again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a removal that was begun elsewhere may take.
const REMOVAL_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);

/// Bounds the wait for an answer.
pub(super) async fn within_limit<T>(asked: impl Future<Output = Result<T, BollardError>>) -> Result<T, BollardError> {
    timeout(ANSWER_LIMIT, asked).await.unwrap_or(Err(BollardError::RequestTimeoutError))
}

/// Repeats a request for some seconds, as long as the error is retryable.
pub(super) async fn retry<T, E>(attempt: impl AsyncFn() -> Result<T, E>, is_retryable: impl Fn(&E) -> bool) -> Result<T, E> {
    let clock = RealClock::start();
    loop {
        match attempt().await {
            Err(error) if is_retryable(&error) && clock.now_ns() < as_ns(PATIENCE) => {
                clock.sleep_until(clock.now_ns() + as_ns(PAUSE)).await;
            }
            answered => return answered,
        }
    }
}

/// Removes a container with its volumes; false if it was gone already, or if it was already being removed.
pub(super) async fn remove(docker: &Docker, id: &str) -> Result<bool, DockerError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match within_limit(docker.remove_container(id, Some(options))).await {
        Ok(()) => Ok(true),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) if is_being_removed(&error) => wait_until_gone(docker, id).await.map(|()| false),
        Err(error) => Err(from_bollard(&error, 0)),
    }
}

/// Removes a container, whatever it takes. The error says what to do.
pub(super) async fn remove_container(docker: &Docker, id: &str) -> Result<(), String> {
    let id = short(id);
    let removed = retry(async || remove(docker, id).await, |_| true).await;
    removed.map(drop).map_err(|_| format!("container {id} may be left: docker rm -f {id}"))
}

async fn wait_until_gone(docker: &Docker, id: &str) -> Result<(), DockerError> {
    let clock = RealClock::start();
    while clock.now_ns() < as_ns(REMOVAL_LIMIT) {
        match within_limit(docker.inspect_container(id, None)).await {
            Err(error) if is_not_found(&error) => return Ok(()),
            // Whoever removes it may need the daemon for itself meanwhile.
            _ => clock.sleep_until(clock.now_ns() + as_ns(PAUSE)).await,
        }
    }
    Err(DockerError::Other { words: format!("the removal that was in progress took longer than {} s", REMOVAL_LIMIT.as_secs()) })
}

/// An id as Docker shows it, which it takes as well.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn as_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
