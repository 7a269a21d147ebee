//! Where a process id means something: on one machine, since one start of it, in one namespace of process ids.
//!
//! A daemon may be shared by several of these, and a process of another one is not seen from here, though it lives.

use std::fs;

/// What stands for a part that cannot be known.
const NONE: &str = "none";

/// A place, as seen from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The same: a process id means the same process.
    Here,
    /// This machine before it was started anew: whatever ran there has ended.
    BeforeRestart,
    /// Another, or nobody knows which: what runs there is not seen from here.
    Elsewhere,
}

/// This place, for a label. It names the machine, and so belongs in no record.
pub(super) fn here() -> String {
    let line = |path| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let namespace = fs::read_link("/proc/self/ns/pid").ok().map(|path| path.to_string_lossy().into_owned());
    let parts = [line("/etc/machine-id"), line("/proc/sys/kernel/random/boot_id"), namespace];
    // machine-id(5): an image that was never started has this word for an id, and so has each of its copies.
    let known = |part: &String| !part.is_empty() && part != "uninitialized" && !part.contains('/');
    parts.map(|part| part.filter(known).unwrap_or_else(|| NONE.to_owned())).join("/")
}

/// Where a label's place lies, seen from `here`.
pub(super) fn compare(theirs: Option<&str>, here: &str) -> Place {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_place_or_an_earlier_start_of_it_says_something() {
        let check = |theirs: &str, ours: &str, expected| assert_eq!(compare(Some(theirs), ours), expected, "{theirs} {ours}");
        let ours = "m/b/pid:[1]";
        check("m/b/pid:[1]", ours, Place::Here);
        check("m/old/pid:[1]", ours, Place::BeforeRestart);
        check("m/old/pid:[2]", ours, Place::BeforeRestart);
        check("m/b/pid:[2]", ours, Place::Elsewhere);
        check("other/b/pid:[1]", ours, Place::Elsewhere);
        check("other/old/pid:[1]", ours, Place::Elsewhere);
        check("none/b/pid:[1]", ours, Place::Elsewhere);
        check("none/b/pid:[1]", "none/b/pid:[1]", Place::Here);
        check("none/old/pid:[1]", "none/b/pid:[1]", Place::Elsewhere);
        check("m/none/pid:[1]", ours, Place::Elsewhere);
        check("m/none/pid:[1]", "m/none/pid:[1]", Place::Elsewhere);
        check("m/b/none", "m/b/none", Place::Elsewhere);
        check("m/b", ours, Place::Elsewhere);
        check("m/b/pid:[1]/x", ours, Place::Elsewhere);
        check("", "", Place::Elsewhere);
        assert_eq!(compare(None, ours), Place::Elsewhere);
        assert_eq!(compare(Some(&here()), &here()), Place::Here);
    }
}
