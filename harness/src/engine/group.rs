//! Processes as the kernel shows them: which group each is in, and when it began, which tells it from a later one of the same id.

use std::fs;

use record::owner::ProcessStat;

use crate::machine::ticks_to_ns;

/// Set in the environment of every engine that is spawned, and inherited by its children. What is killed later by a note in a file
/// that anyone may write must carry it.
pub const MARK: &str = "SPARKGAUGE_ENGINE";

fn stat(pid: u32) -> Option<ProcessStat> {
    ProcessStat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// When a process began, in clock ticks since the machine started; none if there is no such process.
#[must_use]
pub fn start_ticks(pid: u32) -> Option<u64> {
    stat(pid).map(|stat| stat.start_ticks)
}

/// Whether the process that began at `start_ticks` is still alive.
#[must_use]
pub fn is_alive(pid: u32, start: u64) -> bool {
    stat(pid).is_some_and(|stat| !stat.is_ended && stat.start_ticks == start)
}

/// Whether the process that began at `start_ticks` has ended for sure. Where `/proc` hides the processes of others, the first one among
/// them, what is not seen may live all the same.
#[must_use]
pub fn is_gone(pid: u32, start: u64) -> bool {
    match stat(pid) {
        Some(seen) => seen.is_ended || seen.start_ticks != start,
        None => stat(1).is_some(),
    }
}

/// The processes of a group.
#[must_use]
pub fn members(group: u32) -> Vec<u32> {
    stats(group).map(|(pid, _)| pid).collect()
}

/// CPU time that the processes of a group have used so far, those that have ended included, in nanoseconds; none if none of them is left.
/// What left the group for one of its own is not in it.
#[must_use]
pub fn cpu_ns(group: u32) -> Option<u64> {
    stats(group).map(|(_, stat)| ticks_to_ns(stat.cpu_ticks)).reduce(|sum, one| sum + one)
}

fn stats(group: u32) -> impl Iterator<Item = (u32, ProcessStat)> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).filter(move |(_, stat)| stat.group == group)
}

/// Whether a process was spawned as an engine, or by one.
#[must_use]
pub fn is_marked(pid: u32) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let mark = format!("{MARK}=");
    environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(mark.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_process_is_alive_by_its_start_time() {
        let own_pid = std::process::id();
        let start = start_ticks(own_pid).unwrap();
        assert!(is_alive(own_pid, start) && !is_alive(own_pid, start + 1));
        assert!(!is_gone(own_pid, start) && is_gone(own_pid, start + 1));
        assert_eq!(is_gone(u32::MAX, 1), stat(1).is_some());
        assert!(members(stat(own_pid).unwrap().group).contains(&own_pid));
        assert!(!is_marked(own_pid));
    }

    #[test]
    fn cpu_time_of_group_grows_with_work() {
        let own_group = stat(std::process::id()).unwrap().group;
        let before = cpu_ns(own_group).unwrap();
        // Until it shows: the kernel counts in ticks.
        assert!((0..u32::MAX).any(|_| cpu_ns(own_group).is_some_and(|now| now > before)));
        assert_eq!(cpu_ns(u32::MAX), None);
    }
}
