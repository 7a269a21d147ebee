//! The way to the Docker daemon, and from its errors to ours.

use std::{error::Error, io, time::Duration};

use testcontainers::{
    TestcontainersError,
    bollard::{Docker, errors::Error as BollardError},
    core::{client::docker_client_instance, error::ClientError},
};
use tokio::time::timeout;

use crate::engine::DockerError;

/// How long the daemon may take to answer the first question: one that hangs is as good as none.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);

/// A client of the daemon that `DOCKER_HOST` or the usual socket leads to, at a version of the API that both speak.
pub async fn connect() -> Result<Docker, DockerError> {
    let connected = async {
        let docker = docker_client_instance().await.map_err(|error| from_client(&error, 0))?;
        docker.negotiate_version().await.map_err(|error| from_bollard(&error, 0))
    };
    let why = || format!("it did not answer within {} s", CONNECT_LIMIT.as_secs());
    timeout(CONNECT_LIMIT, connected).await.unwrap_or_else(|_| Err(DockerError::Absent { why: why() }))
}

/// Lowers the version of the API that testcontainers speaks to what the daemon knows.
///
/// testcontainers speaks the newest version without asking, which Docker Engine 20 to 28 refuse. Its client cannot be handed in, and it is
/// thrown away as soon as nobody uses it, so that one which was prepared beforehand is gone when it counts. But while `start` runs it
/// holds the client, all clones of a client share its version, and before it creates the container it calls our modifier of the
/// host's settings. That is where this is called from. The modifier cannot wait, hence the thread.
pub(super) fn negotiate_within_start() {
    let worker = std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            if let Ok(docker) = docker_client_instance().await {
                // Where it fails, the creation that follows fails too and says why.
                let _ = docker.negotiate_version().await;
            }
        });
    });
    let _ = worker.join();
}

/// What an error of testcontainers means, on the way to a container with this port of the host.
pub(super) fn from_testcontainers(error: &TestcontainersError, host_port: u16) -> DockerError {
    match error {
        TestcontainersError::Client(error) => from_client(error, host_port),
        other => from_error_chain(other, host_port),
    }
}

/// testcontainers wraps the daemon's error without naming it as a source.
fn from_client(error: &ClientError, host_port: u16) -> DockerError {
    use ClientError as E;
    match error {
        E::Init(inner)
        | E::CreateContainer(inner)
        | E::StartContainer(inner)
        | E::RemoveContainer(inner)
        | E::InspectContainer(inner)
        | E::ListContainers(inner) => from_bollard(inner, host_port),
        // It pulls by itself what is not there; we looked before, so it went away meanwhile.
        E::PullImage { descriptor, .. } => {
            DockerError::ImageMissing { image: descriptor.clone(), how: "it was removed just now; pull it again".to_owned() }
        }
        other => from_error_chain(other, host_port),
    }
}

/// What the daemon's answer, or its silence, means.
pub(super) fn from_bollard(error: &BollardError, host_port: u16) -> DockerError {
    match error {
        BollardError::DockerResponseServerError { message, .. } => DockerError::from_message(message, host_port),
        BollardError::SocketNotFoundError(path) => DockerError::Absent { why: format!("there is no {path}") },
        BollardError::RequestTimeoutError => DockerError::Other { words: "it gave no answer within two minutes".to_owned() },
        // It stands for the inner one, and so does not name it as its source.
        BollardError::IOError { err } => from_error_chain(err, host_port),
        other => from_error_chain(other, host_port),
    }
}

fn from_error_chain(error: &(dyn Error + 'static), host_port: u16) -> DockerError {
    let (mut root, mut kind) = (error, None);
    loop {
        kind = kind.or_else(|| root.downcast_ref::<io::Error>().map(io::Error::kind));
        match root.source() {
            Some(source) => root = source,
            None => break,
        }
    }
    match kind {
        Some(io::ErrorKind::PermissionDenied) => DockerError::NotPermitted { why: root.to_string() },
        Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => DockerError::Absent { why: root.to_string() },
        _ => DockerError::from_message(&error.to_string(), host_port),
    }
}

/// Whether the daemon says that there is no such thing.
pub(super) fn is_not_found(error: &BollardError) -> bool {
    matches!(error, BollardError::DockerResponseServerError { status_code: 404, .. })
}

/// Whether it is already being removed: "removal of container x is already in progress".
pub(super) fn is_being_removed(error: &BollardError) -> bool {
    matches!(error, BollardError::DockerResponseServerError { status_code: 409, message } if message.contains("already in progress"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_client_errors_are_classified() {
        let told = |kind| from_bollard(&BollardError::IOError { err: io::Error::from(kind) }, 0);
        assert!(matches!(told(io::ErrorKind::ConnectionRefused), DockerError::Absent { .. }));
        assert!(matches!(told(io::ErrorKind::PermissionDenied), DockerError::NotPermitted { .. }));
        assert!(matches!(told(io::ErrorKind::BrokenPipe), DockerError::Other { .. }));
        let socket = from_client(&ClientError::Init(BollardError::SocketNotFoundError("/x.sock".to_owned())), 0);
        assert_eq!(socket, DockerError::Absent { why: "there is no /x.sock".to_owned() });
        let taken = BollardError::DockerResponseServerError { status_code: 500, message: "port is already allocated".to_owned() };
        let taken = from_testcontainers(&TestcontainersError::Client(ClientError::StartContainer(taken)), 81);
        assert!(matches!(taken, DockerError::PortTaken { port: 81, .. }));
        let gone = ClientError::PullImage { descriptor: "x:y".to_owned(), err: BollardError::RequestTimeoutError };
        assert!(matches!(from_client(&gone, 0), DockerError::ImageMissing { .. }));
    }

    #[test]
    fn removal_in_progress_is_distinguished_from_other_conflicts() {
        let conflict = |status_code, message: &str| {
            is_being_removed(&BollardError::DockerResponseServerError { status_code, message: message.to_owned() })
        };
        assert!(conflict(409, "removal of container 0123 is already in progress"));
        assert!(!conflict(409, "You cannot remove a running container 0123"));
        assert!(!conflict(500, "removal of container 0123 is already in progress"));
    }
}
