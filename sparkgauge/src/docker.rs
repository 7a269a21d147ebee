//! The `docker` program, as far as the command line needs it: the measuring program speaks to the daemon itself.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    process::{Command, Stdio},
};

use serde::Deserialize;

/// Docker could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DockerError {
    #[error(
        "no `docker` program is on the PATH; install Docker Engine (docs.docker.com/engine/install) and, for GPUs, the NVIDIA Container \
         Toolkit"
    )]
    NotInstalled,
    /// The program is installed and its daemon does not answer.
    #[error("Docker's daemon does not answer; start it, or join the group `docker` if it does not let you: {why}")]
    NotReachable { why: String },
    /// The daemon answered with a refusal.
    #[error("`docker {what}` failed: {why}")]
    Failed { what: String, why: String },
    /// The answer is not what it is documented to be.
    #[error("`docker {what}` answered something else than was expected: {why}")]
    Unexpected { what: String, why: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Image {
    /// The digest of its configuration.
    pub(crate) id: String,
    /// `repository@sha256:...` for each registry that it came from.
    #[serde(default)]
    pub(crate) repo_digests: Option<Vec<String>>,
    /// E.g. `linux`.
    #[serde(default)]
    pub(crate) os: String,
    /// E.g. `arm64`.
    #[serde(default)]
    pub(crate) architecture: String,
}

/// A container, running or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
}

/// The image of that name, or nothing if it is not there.
pub(crate) fn image(name: &str) -> Result<Option<Image>, DockerError> {
    let answer = match docker(&["image", "inspect", name]) {
        Err(DockerError::Failed { why, .. }) if why.to_ascii_lowercase().contains("no such image") => return Ok(None),
        other => other?,
    };
    let images: Vec<Image> = read("image inspect", &answer)?;
    Ok(images.into_iter().next())
}

/// The containers that carry a label, running or not.
pub(crate) fn containers_labelled(label: &str) -> Result<Vec<Container>, DockerError> {
    let filter = format!("label={label}");
    let ids = docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter])?;
    let mut found = Vec::new();
    for id in ids.split_whitespace() {
        match docker(&["container", "inspect", id]) {
            // It went away between the two questions.
            Err(DockerError::Failed { why, .. }) if why.to_ascii_lowercase().contains("no such container") => {}
            other => found.extend(read_containers(&other?)?),
        }
    }
    // Checked again in the answer: no other container may be touched.
    found.retain(|container| container.labels.contains_key(label));
    Ok(found)
}

/// Removes a container, running or not, with the unnamed volumes that were made for it.
pub(crate) fn remove_container(id: &str) -> Result<(), DockerError> {
    match docker(&["container", "rm", "--force", "--volumes", id]) {
        Err(DockerError::Failed { why, .. }) if is_already_removed(&why) => Ok(()),
        other => other.map(drop),
    }
}

/// Whether a container could not be removed because somebody else did, or is about to.
fn is_already_removed(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    ["no such container", "is already in progress"].iter().any(|words| why.contains(words))
}

fn read_containers(json: &str) -> Result<Vec<Container>, DockerError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Inspection {
        id: String,
        name: String,
        config: Config,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Config {
        #[serde(default)]
        labels: Option<BTreeMap<String, String>>,
    }
    let inspected: Vec<Inspection> = read("container inspect", json)?;
    let container = |inspection: Inspection| Container {
        id: inspection.id,
        name: inspection.name.trim_start_matches('/').to_owned(),
        labels: inspection.config.labels.unwrap_or_default(),
    };
    Ok(inspected.into_iter().map(container).collect())
}

fn read<T: serde::de::DeserializeOwned>(what: &str, json: &str) -> Result<T, DockerError> {
    serde_json::from_str(json).map_err(|error| DockerError::Unexpected { what: what.to_owned(), why: error.to_string() })
}

fn docker(arguments: &[&str]) -> Result<String, DockerError> {
    let output = Command::new("docker").args(arguments).stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => DockerError::NotInstalled,
        _ => DockerError::Failed { what: arguments.join(" "), why: error.to_string() },
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    Err(if is_daemon_unreachable(&why) {
        DockerError::NotReachable { why }
    } else {
        DockerError::Failed { what: arguments.join(" "), why }
    })
}

/// Docker has one exit code for everything, so its words must do.
fn is_daemon_unreachable(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    ["cannot connect to the docker daemon", "failed to connect to the docker api", "permission denied while trying to connect"]
        .iter()
        .any(|words| why.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_read_with_and_without_labels() {
        let json = r#"[
            {"Id": "a1", "Name": "/one", "Config": {"Labels": {"sparkgauge.run": "x, y=z"}}, "More": 1},
            {"Id": "a2", "Name": "/two", "Config": {"Labels": null}}
        ]"#;
        let read = read_containers(json).unwrap();
        assert_eq!((read[0].name.as_str(), read[0].labels["sparkgauge.run"].as_str()), ("one", "x, y=z"));
        assert!(read[1].labels.is_empty());
        assert!(read_containers("{}").unwrap_err().to_string().contains("container inspect"));
    }

    #[test]
    fn unreachable_daemon_is_distinguished_from_a_refusal() {
        let check = |why: &str, expected: bool| assert_eq!(is_daemon_unreachable(why), expected, "{why}");
        check("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", true);
        check("failed to connect to the docker API at unix:///nowhere: no such file", true);
        check("permission denied while trying to connect to the Docker daemon socket", true);
        check("Error response from daemon: No such container: x", false);
        check("Error: No such image: nothing:at-all", false);
    }

    #[test]
    fn removal_of_an_already_removed_container_succeeds() {
        let check = |why: &str, expected: bool| assert_eq!(is_already_removed(why), expected, "{why}");
        check("Error response from daemon: No such container: x", true);
        check("Error response from daemon: removal of container x is already in progress", true);
        check("Error response from daemon: driver \"overlay2\" failed to remove root filesystem: device or resource busy", false);
    }
}
