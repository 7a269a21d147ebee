//! Containers that outlived the run they belong to. Labels name the owner of each; only a kill that cannot be caught leaves one behind.

use std::collections::HashMap;

use record::owner::{LABEL_BOOT, LABEL_PID, LABEL_PID_START, LABEL_PLACE, LABEL_RUN, Place, compare};
use testcontainers::bollard::{Docker, models::ContainerSummary, query_parameters::ListContainersOptionsBuilder};

use super::{
    docker::from_bollard,
    remove::{remove, short},
};
use crate::engine::{DockerError, group, place};

/// The labels of a container of this process.
pub(super) fn labels(run: &str, boot: u32) -> Vec<(&'static str, String)> {
    let pid = std::process::id();
    // Without a start time nobody would be its owner, and it would count as left behind.
    let start = group::start_ticks(pid).unwrap_or_default();
    vec![
        (LABEL_RUN, run.to_owned()),
        (LABEL_PID, pid.to_string()),
        (LABEL_PID_START, start.to_string()),
        (LABEL_PLACE, place::here()),
        (LABEL_BOOT, boot.to_string()),
    ]
}

/// Removes the containers whose run no longer lives, and says which they were, and which of them could not be removed.
pub async fn remove_orphans(docker: &Docker) -> Result<Vec<String>, DockerError> {
    let (mut removals, here) = (Vec::new(), place::here());
    for container in list_with_labels(docker, &[LABEL_RUN.to_owned()]).await? {
        let (Some(id), Some(pid)) = (&container.id, dead_owner(&container, &here)) else { continue };
        let which = describe_container(&container, id, pid);
        match remove(docker, id).await {
            Ok(true) => removals.push(format!("removed {which}")),
            Ok(false) => {}
            // It may still hold memory, and yet a run that works is better than none.
            Err(error) => removals.push(format!("{which} could not be removed: {error}")),
        }
    }
    Ok(removals)
}

/// Removes what a failed start left of one boot: testcontainers forgets a container that it has made but cannot start.
pub(super) async fn remove_unstarted(docker: &Docker, labels: &[(&'static str, String)]) -> Result<(), DockerError> {
    let filters: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for container in list_with_labels(docker, &filters).await? {
        if let Some(id) = &container.id {
            remove(docker, id).await?;
        }
    }
    Ok(())
}

async fn list_with_labels(docker: &Docker, labels: &[String]) -> Result<Vec<ContainerSummary>, DockerError> {
    let filters = HashMap::from([("label".to_owned(), labels.to_vec())]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    docker.list_containers(Some(options)).await.map_err(|error| from_bollard(&error, 0))
}

/// The process that a container was left by; none where it lives, or where that is not seen from here.
fn dead_owner(container: &ContainerSummary, here: &str) -> Option<u32> {
    let (pid, start) = owner(container)?;
    let place = container.labels.as_ref().and_then(|labels| labels.get(LABEL_PLACE));
    let is_gone = match compare(place.map(String::as_str), here) {
        Place::Here => group::is_gone(pid, start),
        Place::BeforeRestart => true,
        Place::Elsewhere => false,
    };
    is_gone.then_some(pid)
}

/// The process that a container belongs to; none where the labels do not tell, and then it is unknown whether it is left behind.
fn owner(container: &ContainerSummary) -> Option<(u32, u64)> {
    let labels = container.labels.as_ref()?;
    Some((labels.get(LABEL_PID)?.parse().ok()?, labels.get(LABEL_PID_START)?.parse().ok()?))
}

fn describe_container(container: &ContainerSummary, id: &str, pid: u32) -> String {
    let run = container.labels.as_ref().and_then(|labels| labels.get(LABEL_RUN)).map_or("?", String::as_str);
    let status = container.status.as_deref().unwrap_or("?");
    format!("container {} of run {run}, left by process {pid} ({status})", short(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_without_owner_labels_has_no_owner() {
        let with = |labels: &[(&str, &str)]| ContainerSummary {
            labels: Some(labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()),
            status: Some("Up 2 hours".to_owned()),
            ..ContainerSummary::default()
        };
        assert_eq!(owner(&with(&[(LABEL_PID, "7"), (LABEL_PID_START, "99")])), Some((7, 99)));
        assert_eq!(owner(&with(&[(LABEL_PID, "7")])), None);
        assert_eq!(owner(&with(&[(LABEL_PID, "7"), (LABEL_PID_START, "soon")])), None);
        assert_eq!(owner(&ContainerSummary::default()), None);
        let own_labels = labels("run-x", 3);
        let own_labels: Vec<_> = own_labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (pid, start) = owner(&with(&own_labels)).unwrap();
        assert!(group::is_alive(pid, start));
        let left = |start: u64, place: &str| {
            let (pid, start) = (pid.to_string(), start.to_string());
            dead_owner(&with(&[(LABEL_PID, &pid), (LABEL_PID_START, &start), (LABEL_PLACE, place)]), &place::here())
        };
        let here = place::here();
        let parts: Vec<_> = here.split('/').collect();
        assert_eq!((left(start, &here), left(start + 1, &here)), (None, Some(pid)));
        assert_eq!(left(start, &format!("{}/earlier/{}", parts[0], parts[2])), Some(pid).filter(|_| parts[0] != "none"));
        assert_eq!(left(start + 1, &format!("{}/{}/pid:[1]", parts[0], parts[1])), None);
        assert_eq!(dead_owner(&with(&[(LABEL_PID, "7"), (LABEL_PID_START, "99")]), &here), None);
        assert_eq!(
            describe_container(&with(&[(LABEL_RUN, "run-x")]), "0123456789abcdef", 7),
            "container 0123456789ab of run run-x, left by process 7 (Up 2 hours)"
        );
    }
}
