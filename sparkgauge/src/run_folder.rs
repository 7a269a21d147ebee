//! Where runs go, and what names them.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bench::terminal;
use record::Profile;

use crate::home;

/// A folder that no run has used: `runs/20261120-190512-simulated-standard`.
pub(crate) fn fresh(label: &str, profile: Profile) -> anyhow::Result<PathBuf> {
    let now_s = now_s()?;
    let runs = home::runs();
    let name = format!("{}-{}-{profile}", stamp(now_s), safe(label));
    let mut folder = runs.join(&name);
    for again in 2.. {
        if !folder.exists() {
            break;
        }
        folder = runs.join(format!("{name}-{again}"));
    }
    Ok(folder)
}

/// The wall clock, in seconds since 1970: it names folders and draws seeds; no figure depends on it.
#[expect(clippy::disallowed_methods, reason = "the one place of this program that may")]
pub(crate) fn now_s() -> anyhow::Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// A name without anything that could lead out of its folder.
pub(crate) fn safe(label: &str) -> String {
    let allowed = |character: char| if character.is_ascii_alphanumeric() || "-_".contains(character) { character } else { '-' };
    label.chars().take(60).map(allowed).collect()
}

/// UTC, as `YYYYMMDD-hhmmss`.
fn stamp(unix_s: u64) -> String {
    let text = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(unix_s)).to_string();
    text.replace(['-', ':', 'Z'], "").replace('T', "-")
}

/// The command line as it can be typed again: in a clone, as `cargo xtask` was called.
pub(crate) fn command_line() -> Vec<String> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_ours = |word: &String| word.starts_with("--clone=") || word.starts_with("--measure-with=");
    let from_clone = words.iter().take_while(|word| is_ours(word)).count();
    words.drain(..from_clone);
    let program: &[&str] = if from_clone > 0 { &["cargo", "xtask"] } else { &[terminal::PROGRAM] };
    program.iter().map(|word| (*word).to_owned()).chain(words).collect()
}

/// The commit that this program was built from, `-dirty` if tracked files differ from it; none where git does not know. An installed program
/// was told when it was built; a clone changes from build to build, and is asked.
pub(crate) fn commit() -> Option<String> {
    let Some(clone) = home::clone() else { return option_env!("SPARKGAUGE_COMMIT").map(str::to_owned) };
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(clone).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let clean = git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if clean { commit } else { format!("{commit}-dirty") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_stamps_are_dates() {
        let check = |unix_s: u64, expected: &str| assert_eq!(stamp(unix_s), expected);
        check(0, "19700101-000000");
        check(951_827_696, "20000229-123456");
        check(1_795_201_512, "20261120-190512");
        check(4_107_542_399, "21000228-235959");
    }

    #[test]
    fn names_cannot_leave_their_folder() {
        assert_eq!(safe("../../etc/passwd"), "------etc-passwd");
        assert_eq!(safe("testbed-vllm"), "testbed-vllm");
    }
}
