//! Where runs go, and what names them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use record::Profile;

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// A folder that no run has used: `runs/20261120-190512-simulated-standard`.
pub(crate) fn fresh(label: &str, profile: Profile) -> anyhow::Result<PathBuf> {
    let now_s = now_s()?;
    let runs = workspace().join("runs");
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

/// UTC, as `YYYYMMDD-hhmmss`. Days to a date after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn stamp(unix_s: u64) -> String {
    let (days, second) = (unix_s / 86_400, unix_s % 86_400);
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}-{:02}{:02}{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The commit, `-dirty` if tracked files differ from it; none outside a git checkout.
pub(crate) fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(workspace()).output().ok()?;
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
    fn stamps_are_dates() {
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
