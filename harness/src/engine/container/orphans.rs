//! Containers that outlived the run they belong to. Labels say whose each is; only a kill that cannot be caught leaves one behind.

use std::collections::HashMap;

use testcontainers::bollard::{
    Docker,
    models::ContainerSummary,
    query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
};

use super::docker::{is_not_found, of_bollard};
use crate::engine::{DockerError, group};

/// The label with the name of the run's folder, on every container of ours.
pub const LABEL_RUN: &str = "sparkgauge.run";
/// The label with the process id of the run.
pub const LABEL_PID: &str = "sparkgauge.pid";
/// The label with the time at which that process began, in clock ticks since the machine started.
pub const LABEL_PID_START: &str = "sparkgauge.pid-start";
/// The label with the boot's number.
pub const LABEL_BOOT: &str = "sparkgauge.boot";

/// The labels of a container of this process.
pub(super) fn labels(run: &str, boot: u32) -> Vec<(&'static str, String)> {
    let pid = std::process::id();
    // Without a start time nobody would be its owner, and it would count as left behind.
    let start = group::start_ticks(pid).unwrap_or_default();
    vec![
        (LABEL_RUN, run.to_owned()),
        (LABEL_PID, pid.to_string()),
        (LABEL_PID_START, start.to_string()),
        (LABEL_BOOT, boot.to_string()),
    ]
}

/// Removes the containers whose run no longer lives, and says which they were.
pub async fn remove_orphans(docker: &Docker) -> Result<Vec<String>, DockerError> {
    let mut removed = Vec::new();
    for container in labelled(docker, &[LABEL_RUN.to_owned()]).await? {
        let Some(owner) = owner(&container).filter(|(pid, start)| !group::lives(*pid, *start)) else { continue };
        if let Some(id) = &container.id
            && remove(docker, id).await?
        {
            removed.push(in_words(&container, id, owner.0));
        }
    }
    Ok(removed)
}

/// Removes what a failed start left of one boot: testcontainers forgets a container that it has made but cannot start.
pub(super) async fn remove_unstarted(docker: &Docker, labels: &[(&'static str, String)]) -> Result<(), DockerError> {
    let filters: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for container in labelled(docker, &filters).await? {
        if let Some(id) = &container.id {
            remove(docker, id).await?;
        }
    }
    Ok(())
}

async fn labelled(docker: &Docker, labels: &[String]) -> Result<Vec<ContainerSummary>, DockerError> {
    let filters = HashMap::from([("label".to_owned(), labels.to_vec())]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    docker.list_containers(Some(options)).await.map_err(|error| of_bollard(&error, 0))
}

/// Removes a container with its volumes; false if it was gone already.
pub(super) async fn remove(docker: &Docker, id: &str) -> Result<bool, DockerError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match docker.remove_container(id, Some(options)).await {
        Ok(()) => Ok(true),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) => Err(of_bollard(&error, 0)),
    }
}

/// The process that a container belongs to; none where the labels do not say, and then nobody knows whether it is left behind.
fn owner(container: &ContainerSummary) -> Option<(u32, u64)> {
    let labels = container.labels.as_ref()?;
    Some((labels.get(LABEL_PID)?.parse().ok()?, labels.get(LABEL_PID_START)?.parse().ok()?))
}

fn in_words(container: &ContainerSummary, id: &str, pid: u32) -> String {
    let run = container.labels.as_ref().and_then(|labels| labels.get(LABEL_RUN)).map_or("?", String::as_str);
    let status = container.status.as_deref().unwrap_or("?");
    format!("container {} of run {run}, left by process {pid} ({status})", id.get(..12).unwrap_or(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_container_that_names_its_owner_has_one() {
        let with = |labels: &[(&str, &str)]| ContainerSummary {
            labels: Some(labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()),
            status: Some("Up 2 hours".to_owned()),
            ..ContainerSummary::default()
        };
        assert_eq!(owner(&with(&[(LABEL_PID, "7"), (LABEL_PID_START, "99")])), Some((7, 99)));
        assert_eq!(owner(&with(&[(LABEL_PID, "7")])), None);
        assert_eq!(owner(&with(&[(LABEL_PID, "7"), (LABEL_PID_START, "soon")])), None);
        assert_eq!(owner(&ContainerSummary::default()), None);
        let ours = labels("run-x", 3);
        let ours: Vec<_> = ours.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (pid, start) = owner(&with(&ours)).unwrap();
        assert!(group::lives(pid, start));
        assert_eq!(
            in_words(&with(&[(LABEL_RUN, "run-x")]), "0123456789abcdef", 7),
            "container 0123456789ab of run run-x, left by process 7 (Up 2 hours)"
        );
    }
}
