//! `clean`: engines in containers that a run left behind when it was killed.
//!
//! Each container of ours carries the run that it belongs to and the process that owns it. A process is named by its id and the moment
//! it started, since ids are used again. A container whose owner lives belongs to a run that goes on, and is left alone.

use std::fs;

use record::ExitCode;

use crate::{
    docker::{self, Container},
    print, say,
};

/// The label that makes a container ours; its value names the run.
const RUN: &str = "sparkgauge.run";
/// The id of the process that owns it.
const PID: &str = "sparkgauge.pid";
/// When that process started, in clock ticks since the machine did: field 22 of `/proc/PID/stat` (`proc_pid_stat(5)`).
const PID_START: &str = "sparkgauge.pid-start";

/// Removes what nobody owns any more.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let containers = docker::containers_labelled(RUN)?;
    let mut removed = 0;
    for container in &containers {
        let run = container.labels.get(RUN).map_or("", String::as_str);
        match owner(container, start_of) {
            Owner::Gone(pid) => {
                docker::remove_container(&container.id)?;
                print(&format!("removed container {} of run `{run}`; its process {pid} is gone", container.name));
                removed += 1;
            }
            Owner::Lives(pid) => {
                say(&format!("left container {} of run `{run}`: its process {pid} lives; end that run first", container.name));
            }
            Owner::Unknown => {
                say(&format!(
                    "left container {} of run `{run}`: its labels do not say which process owns it; `docker rm --force {}` removes it",
                    container.name, container.id
                ));
            }
        }
    }
    if removed == 0 {
        say("nothing to clean");
    }
    Ok(ExitCode::Fine)
}

/// The process that a container belongs to.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    /// It lives.
    Lives(u32),
    /// It does not, or another has its id.
    Gone(u32),
    /// The labels do not say.
    Unknown,
}

fn owner(container: &Container, start_of: impl Fn(u32) -> Option<u64>) -> Owner {
    let number = |label: &str| container.labels.get(label).and_then(|value| value.parse::<u64>().ok());
    let (Some(pid), Some(start)) = (number(PID).and_then(|pid| u32::try_from(pid).ok()), number(PID_START)) else {
        return Owner::Unknown;
    };
    if start_of(pid) == Some(start) { Owner::Lives(pid) } else { Owner::Gone(pid) }
}

fn start_of(pid: u32) -> Option<u64> {
    parse_start(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The program's name stands second, in parentheses, and may itself hold spaces and parentheses; so the fields are counted from its end.
/// One that has ended and that its parent has not asked about yet is gone.
fn parse_start(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(22 - 4)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(labels: &[(&str, &str)]) -> Container {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Container { id: "a1".to_owned(), name: "one".to_owned(), labels }
    }

    #[test]
    fn the_owner_is_a_process_and_the_moment_it_started() {
        let lives = |pid: u32| (pid == 7).then_some(100);
        let check = |pid: &str, start: &str, expected: Owner| {
            assert_eq!(owner(&container(&[(RUN, "r"), (PID, pid), (PID_START, start)]), lives), expected, "{pid} {start}");
        };
        check("7", "100", Owner::Lives(7));
        check("7", "99", Owner::Gone(7));
        check("8", "100", Owner::Gone(8));
        check("x", "100", Owner::Unknown);
        check("99999999999", "100", Owner::Unknown);
        assert_eq!(owner(&container(&[(RUN, "r"), (PID, "7")]), lives), Owner::Unknown);
    }

    #[test]
    fn the_start_is_field_22_whatever_the_program_is_called() {
        let stat = |name: &str| format!("42 ({name}) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 200");
        assert_eq!(parse_start(&stat("sleep")), Some(98765));
        assert_eq!(parse_start(&stat("sleep").replace(") S", ") Z")), None);
        assert_eq!(parse_start(&stat("a b) (c")), Some(98765));
        assert_eq!(parse_start("42 (sleep) S 1"), None);
        assert_eq!(parse_start(""), None);
        assert!(start_of(std::process::id()).is_some_and(|start| start > 0));
    }
}
