//! `clean`: engines in containers that a run left behind when it was killed.
//!
//! The labels of a container name the run that it belongs to and the process that owns it. A process is named by its id and the moment
//! it started, since ids are used again, and by the place in which an id means something: a daemon may be shared by several machines, or by
//! several namespaces of one. A container whose owner lives belongs to a run that goes on, and is left alone; so is one whose owner is not
//! visible from here.

use std::fs;

use harness::engine::place;
use record::{
    ExitCode,
    owner::{LABEL_PID, LABEL_PID_START, LABEL_PLACE, LABEL_RUN, Place, ProcessStat, compare},
};

use crate::{
    docker::{self, Container},
    print, say,
};

/// Removes containers whose owner has ended.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let containers = docker::containers_labelled(LABEL_RUN)?;
    let (mut removed, mut failed) = (0, 0);
    let here = place::here();
    for container in &containers {
        let run = container.labels.get(LABEL_RUN).map_or("", String::as_str);
        let name = &container.name;
        match owner(container, &here, process_state) {
            Owner::Gone(pid) => match docker::remove_container(&container.id) {
                Ok(()) => {
                    print(&format!("removed container {name} of run `{run}`; its process {pid} is gone"));
                    removed += 1;
                }
                // The others are no less in the way.
                Err(error) => {
                    say(&format!("container {name} of run `{run}` could not be removed: {error}"));
                    failed += 1;
                }
            },
            Owner::Alive(pid) => {
                say(&format!("left container {name} of run `{run}`: its process {pid} lives; end that run first"));
            }
            Owner::Unknown => say(&format!(
                "left container {name} of run `{run}`: whether its owner process is alive is not visible from here; if not, `docker rm \
                 -f {name}` removes it"
            )),
        }
    }
    if removed + failed == 0 {
        say("nothing to clean");
    }
    Ok(if failed == 0 { ExitCode::Success } else { ExitCode::Engine })
}

/// The process that a container belongs to.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    Alive(u32),
    /// It ended, or another process has its id.
    Gone(u32),
    /// The labels do not say, or it belongs to another machine or namespace.
    Unknown,
}

/// What the kernel shows of a process id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProcessState {
    /// Start time in clock ticks since the machine booted.
    Started(u64),
    Absent,
    /// No process is visible, but those of other users are hidden.
    Hidden,
}

fn owner(container: &Container, here: &str, process_state: impl Fn(u32) -> ProcessState) -> Owner {
    let number = |label: &str| container.labels.get(label).and_then(|value| value.parse::<u64>().ok());
    let (Some(pid), Some(start)) = (number(LABEL_PID).and_then(|pid| u32::try_from(pid).ok()), number(LABEL_PID_START)) else {
        return Owner::Unknown;
    };
    match compare(container.labels.get(LABEL_PLACE).map(String::as_str), here) {
        Place::Here => match process_state(pid) {
            ProcessState::Started(at) if at == start => Owner::Alive(pid),
            ProcessState::Started(_) | ProcessState::Absent => Owner::Gone(pid),
            ProcessState::Hidden => Owner::Unknown,
        },
        Place::BeforeRestart => Owner::Gone(pid),
        Place::Elsewhere => Owner::Unknown,
    }
}

/// The first process is always there, and hidden where those of others are.
fn process_state(pid: u32) -> ProcessState {
    let stat = |pid| fs::read_to_string(format!("/proc/{pid}/stat"));
    match stat(pid) {
        Ok(stat) => match ProcessStat::parse(&stat) {
            Some(stat) if !stat.is_ended => ProcessState::Started(stat.start_ticks),
            _ => ProcessState::Absent,
        },
        Err(_) if stat(1).is_ok() => ProcessState::Absent,
        Err(_) => ProcessState::Hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(labels: &[(&str, &str)]) -> Container {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Container { id: "a1".to_owned(), name: "one".to_owned(), labels }
    }

    #[test]
    fn owner_is_identified_by_pid_start_time_and_place() {
        let process_state = |pid: u32| match pid {
            7 => ProcessState::Started(100),
            9 => ProcessState::Hidden,
            _ => ProcessState::Absent,
        };
        let check = |pid: &str, start: &str, place: &str, expected: Owner| {
            let container = container(&[(LABEL_RUN, "r"), (LABEL_PID, pid), (LABEL_PID_START, start), (LABEL_PLACE, place)]);
            assert_eq!(owner(&container, "m/b/n", process_state), expected, "{pid} {start} {place}");
        };
        check("7", "100", "m/b/n", Owner::Alive(7));
        check("7", "99", "m/b/n", Owner::Gone(7));
        check("8", "100", "m/b/n", Owner::Gone(8));
        check("9", "100", "m/b/n", Owner::Unknown);
        check("x", "100", "m/b/n", Owner::Unknown);
        check("99999999999", "100", "m/b/n", Owner::Unknown);
        check("7", "100", "m/old/n", Owner::Gone(7));
        check("8", "100", "other/b/n", Owner::Unknown);
        let unknown = |labels| assert_eq!(owner(&container(labels), "m/b/n", process_state), Owner::Unknown);
        unknown(&[(LABEL_RUN, "r"), (LABEL_PID, "7"), (LABEL_PLACE, "m/b/n")]);
        unknown(&[(LABEL_RUN, "r"), (LABEL_PID, "8"), (LABEL_PID_START, "100")]);
    }

    #[test]
    fn own_process_is_here_and_alive() {
        assert_eq!(compare(Some(&place::here()), &place::here()), Place::Here);
        assert!(matches!(process_state(std::process::id()), ProcessState::Started(1..)));
    }
}
