//! `clean`: engines in containers that a run left behind when it was killed.
//!
//! Each container of ours carries the run that it belongs to and the process that owns it. A process is named by its id and the moment
//! it started, since ids are used again, and by the place in which an id means something: a daemon may be shared by several machines, or by
//! several namespaces of one. A container whose owner lives belongs to a run that goes on, and is left alone; so is one whose owner is not
//! seen from here.

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

/// The place of that process: the machine's id, that of its start, and the namespace of process ids, as the measuring program writes them.
const PLACE: &str = "sparkgauge.place";
/// What stands for a part of a place that cannot be known.
const NONE: &str = "none";

/// Removes what nobody owns any more.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let containers = docker::containers_labelled(RUN)?;
    let (mut removed, mut failed) = (0, 0);
    let here = here();
    for container in &containers {
        let run = container.labels.get(RUN).map_or("", String::as_str);
        let name = &container.name;
        match owner(container, &here, seen) {
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
            Owner::Lives(pid) => {
                say(&format!("left container {name} of run `{run}`: its process {pid} lives; end that run first"));
            }
            Owner::Unknown => say(&format!(
                "left container {name} of run `{run}`: whether the process that owns it lives is not seen from here; if not, `docker rm \
                 -f {name}` removes it"
            )),
        }
    }
    if removed + failed == 0 {
        say("nothing to clean");
    }
    Ok(if failed == 0 { ExitCode::Fine } else { ExitCode::Engine })
}

/// The process that a container belongs to.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    /// It lives.
    Lives(u32),
    /// It does not, or another has its id.
    Gone(u32),
    /// The labels do not say, or it is elsewhere.
    Unknown,
}

/// What the kernel shows of a process id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// A process that started then.
    Started(u64),
    /// No process.
    Nothing,
    /// No process, but those of others are hidden from us.
    Hidden,
}

fn owner(container: &Container, here: &str, seen: impl Fn(u32) -> Seen) -> Owner {
    let number = |label: &str| container.labels.get(label).and_then(|value| value.parse::<u64>().ok());
    let (Some(pid), Some(start)) = (number(PID).and_then(|pid| u32::try_from(pid).ok()), number(PID_START)) else {
        return Owner::Unknown;
    };
    match place(container.labels.get(PLACE).map(String::as_str), here) {
        Place::Here => match seen(pid) {
            Seen::Started(at) if at == start => Owner::Lives(pid),
            Seen::Started(_) | Seen::Nothing => Owner::Gone(pid),
            Seen::Hidden => Owner::Unknown,
        },
        Place::BeforeRestart => Owner::Gone(pid),
        Place::Elsewhere => Owner::Unknown,
    }
}

/// A place, as seen from another.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// The same: a process id means the same process.
    Here,
    /// This machine before it was started anew: whatever ran there has ended.
    BeforeRestart,
    /// Another, or nobody knows which.
    Elsewhere,
}

fn place(theirs: Option<&str>, here: &str) -> Place {
    let (Some([machine, boot, namespace]), Some([our_machine, our_boot, our_namespace])) = (theirs.and_then(parts), parts(here))
    else {
        return Place::Elsewhere;
    };
    let boots_are_known = boot != NONE && our_boot != NONE;
    if machine != our_machine || !boots_are_known {
        Place::Elsewhere
    } else if boot != our_boot {
        if machine == NONE { Place::Elsewhere } else { Place::BeforeRestart }
    } else if namespace == our_namespace && namespace != NONE {
        Place::Here
    } else {
        Place::Elsewhere
    }
}

fn parts(place: &str) -> Option<[&str; 3]> {
    place.split('/').collect::<Vec<_>>().try_into().ok()
}

fn here() -> String {
    let line = |path| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let namespace = fs::read_link("/proc/self/ns/pid").ok().map(|path| path.to_string_lossy().into_owned());
    let parts = [line("/etc/machine-id"), line("/proc/sys/kernel/random/boot_id"), namespace];
    // machine-id(5): an image that was never started has this word for an id, and so has each of its copies.
    let known = |part: &String| !part.is_empty() && part != "uninitialized" && !part.contains('/');
    parts.map(|part| part.filter(known).unwrap_or_else(|| NONE.to_owned())).join("/")
}

/// The first process is always there, and hidden where those of others are.
fn seen(pid: u32) -> Seen {
    let stat = |pid| fs::read_to_string(format!("/proc/{pid}/stat"));
    match stat(pid) {
        Ok(stat) => parse_start(&stat).map_or(Seen::Nothing, Seen::Started),
        Err(_) if stat(1).is_ok() => Seen::Nothing,
        Err(_) => Seen::Hidden,
    }
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
        let seen = |pid: u32| match pid {
            7 => Seen::Started(100),
            9 => Seen::Hidden,
            _ => Seen::Nothing,
        };
        let check = |pid: &str, start: &str, place: &str, expected: Owner| {
            let container = container(&[(RUN, "r"), (PID, pid), (PID_START, start), (PLACE, place)]);
            assert_eq!(owner(&container, "m/b/n", seen), expected, "{pid} {start} {place}");
        };
        check("7", "100", "m/b/n", Owner::Lives(7));
        check("7", "99", "m/b/n", Owner::Gone(7));
        check("8", "100", "m/b/n", Owner::Gone(8));
        check("9", "100", "m/b/n", Owner::Unknown);
        check("x", "100", "m/b/n", Owner::Unknown);
        check("99999999999", "100", "m/b/n", Owner::Unknown);
        check("7", "100", "m/old/n", Owner::Gone(7));
        check("8", "100", "other/b/n", Owner::Unknown);
        let unknown = |labels| assert_eq!(owner(&container(labels), "m/b/n", seen), Owner::Unknown);
        unknown(&[(RUN, "r"), (PID, "7"), (PLACE, "m/b/n")]);
        unknown(&[(RUN, "r"), (PID, "8"), (PID_START, "100")]);
    }

    #[test]
    fn only_the_same_place_or_an_earlier_start_of_it_says_something() {
        let check = |theirs: &str, ours: &str, expected| assert_eq!(place(Some(theirs), ours), expected, "{theirs} {ours}");
        check("m/b/n", "m/b/n", Place::Here);
        check("m/old/n", "m/b/n", Place::BeforeRestart);
        check("m/old/n2", "m/b/n", Place::BeforeRestart);
        check("m/b/n2", "m/b/n", Place::Elsewhere);
        check("other/b/n", "m/b/n", Place::Elsewhere);
        check("other/old/n", "m/b/n", Place::Elsewhere);
        check("none/b/n", "none/b/n", Place::Here);
        check("none/old/n", "none/b/n", Place::Elsewhere);
        check("m/none/n", "m/b/n", Place::Elsewhere);
        check("m/none/n", "m/none/n", Place::Elsewhere);
        check("m/b/none", "m/b/none", Place::Elsewhere);
        check("m/b", "m/b/n", Place::Elsewhere);
        check("", "", Place::Elsewhere);
        assert_eq!(place(None, "m/b/n"), Place::Elsewhere);
        assert_eq!(place(Some(&here()), &here()), Place::Here);
    }

    #[test]
    fn the_start_is_field_22_whatever_the_program_is_called() {
        let stat = |name: &str| format!("42 ({name}) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 200");
        assert_eq!(parse_start(&stat("sleep")), Some(98765));
        assert_eq!(parse_start(&stat("sleep").replace(") S", ") Z")), None);
        assert_eq!(parse_start(&stat("a b) (c")), Some(98765));
        assert_eq!(parse_start("42 (sleep) S 1"), None);
        assert_eq!(parse_start(""), None);
        assert!(matches!(seen(std::process::id()), Seen::Started(1..)));
    }
}
