//! The owner of a container: the labels that name it, and how they are judged from this machine. The measuring program writes them; it and the
//! command line read them, to find what a killed run left behind.
//!
//! An owner is a process, by its id and the moment it started, since ids are used again; and by the place in which an id means something:
//! one machine, since one start of it, in one namespace of process ids. A daemon may be shared by several of these.

/// The name of the run's folder, on every container that a run starts.
pub const LABEL_RUN: &str = "sparkgauge.run";
/// The id of the process that owns it.
pub const LABEL_PID: &str = "sparkgauge.pid";
/// When that process started, in clock ticks since the machine did.
pub const LABEL_PID_START: &str = "sparkgauge.pid-start";
/// The place of that process, by [`place`].
pub const LABEL_PLACE: &str = "sparkgauge.place";
/// Number of the boot within its run, from 0.
pub const LABEL_BOOT: &str = "sparkgauge.boot";

/// Stands for a part of a place that is unknown.
const NONE: &str = "none";

/// A place, as seen from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The same: a process id means the same process.
    Here,
    /// This machine before it was started anew: whatever ran there has ended.
    BeforeRestart,
    /// Another, or an unknown one: its processes cannot be seen from here.
    Elsewhere,
}

/// A place as a label holds it, from the contents of `/etc/machine-id`, those of `/proc/sys/kernel/random/boot_id`, and where
/// `/proc/self/ns/pid` leads. It names the machine, and so belongs in no record.
#[must_use]
pub fn place(machine_id: Option<&str>, boot_id: Option<&str>, namespace: Option<&str>) -> String {
    // machine-id(5): an image that was never started has this word for an id, and so has each of its copies.
    let known = |part: &&str| !part.is_empty() && *part != "uninitialized" && !part.contains('/');
    [machine_id, boot_id, namespace].map(|part| part.map(str::trim).filter(known).unwrap_or(NONE)).join("/")
}

/// Where a label's place lies, seen from `here`.
#[must_use]
pub fn compare(label: Option<&str>, here: &str) -> Place {
    let (Some([machine, boot, namespace]), Some([own_machine, own_boot, own_namespace])) = (label.and_then(parts), parts(here))
    else {
        return Place::Elsewhere;
    };
    let boots_are_known = boot != NONE && own_boot != NONE;
    if machine != own_machine || !boots_are_known {
        Place::Elsewhere
    } else if boot != own_boot {
        if machine == NONE { Place::Elsewhere } else { Place::BeforeRestart }
    } else if namespace == own_namespace && namespace != NONE {
        Place::Here
    } else {
        Place::Elsewhere
    }
}

fn parts(place: &str) -> Option<[&str; 3]> {
    place.split('/').collect::<Vec<_>>().try_into().ok()
}

/// A process, from `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessStat {
    /// Ended, but not yet asked about by its parent: it counts as gone.
    pub is_ended: bool,
    /// Id of its process group, which a spawned engine leads.
    pub group: u32,
    /// CPU time that it and those of its children whose end it has seen have used, in clock ticks.
    pub cpu_ticks: u64,
    /// When it started, in clock ticks since the machine did.
    pub start_ticks: u64,
}

impl ProcessStat {
    /// The name in the second field may hold spaces and brackets, so fields are counted from its closing one: the state is the 3rd, the
    /// group the 5th, the CPU times are the 14th to the 17th, the start time is the 22nd (proc(5)).
    #[must_use]
    pub fn parse(stat: &str) -> Option<Self> {
        let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
        let is_ended = matches!(rest.next()?, "Z" | "X");
        let group = rest.nth(1)?.parse().ok()?;
        // In user mode and in the kernel, then both of its children.
        let mut cpu_ticks = rest.nth(8)?.parse::<u64>().ok()?;
        for _ in 0..3 {
            cpu_ticks += rest.next()?.parse::<u64>().ok()?;
        }
        let start_ticks = rest.nth(4)?.parse().ok()?;
        Some(Self { is_ended, group, cpu_ticks, start_ticks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_is_known_only_on_the_same_machine() {
        let check = |label: &str, own: &str, expected| assert_eq!(compare(Some(label), own), expected, "{label} {own}");
        let own = "m/b/pid:[1]";
        check("m/b/pid:[1]", own, Place::Here);
        check("m/old/pid:[1]", own, Place::BeforeRestart);
        check("m/old/pid:[2]", own, Place::BeforeRestart);
        check("m/b/pid:[2]", own, Place::Elsewhere);
        check("other/b/pid:[1]", own, Place::Elsewhere);
        check("other/old/pid:[1]", own, Place::Elsewhere);
        check("none/b/pid:[1]", own, Place::Elsewhere);
        check("none/b/pid:[1]", "none/b/pid:[1]", Place::Here);
        check("none/old/pid:[1]", "none/b/pid:[1]", Place::Elsewhere);
        check("m/none/pid:[1]", own, Place::Elsewhere);
        check("m/none/pid:[1]", "m/none/pid:[1]", Place::Elsewhere);
        check("m/b/none", "m/b/none", Place::Elsewhere);
        check("m/b", own, Place::Elsewhere);
        check("m/b/pid:[1]/x", own, Place::Elsewhere);
        check("", "", Place::Elsewhere);
        assert_eq!(compare(None, own), Place::Elsewhere);
    }

    #[test]
    fn unknown_parts_of_place_are_none() {
        assert_eq!(place(Some("m\n"), Some("b\n"), Some("pid:[1]")), "m/b/pid:[1]");
        assert_eq!(place(Some("uninitialized\n"), Some("a/b"), None), "none/none/none");
    }

    #[test]
    fn process_name_with_brackets_does_not_shift_fields() {
        let stat = "4242 (a) b (c) d) S 1 77 77 0 -1 4194560 1 2 3 4 500 60 7000 80000 20 0 1 0 123456 10 20";
        assert_eq!(
            ProcessStat::parse(stat),
            Some(ProcessStat { is_ended: false, group: 77, cpu_ticks: 87_560, start_ticks: 123_456 })
        );
        assert!(ProcessStat::parse(&stat.replace(") S ", ") Z ")).is_some_and(|stat| stat.is_ended));
        assert_eq!(ProcessStat::parse("1 (x) S 1 2"), None);
        assert_eq!(ProcessStat::parse(""), None);
    }
}
