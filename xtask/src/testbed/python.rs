//! Finding a Python on the machine, where there is no uv yet, which finds its own.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, bail};

/// The plain name first: it is the one that the user chose.
const NAMES: [&str; 6] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// Its version in a form that sorts, and where it is.
const PROBE: &str = "import sys; print(*sys.version_info[:2]); print(sys.executable)";

/// A Python 3 by its second number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Python {
    minor: u32,
    pub(super) path: PathBuf,
}

/// The first Python 3 whose second number is in the range.
pub(super) fn find(oldest: u32, newest: u32) -> anyhow::Result<Python> {
    let found: Vec<Python> = NAMES.iter().filter_map(|name| probe(name)).collect();
    let seen: Vec<String> = found.iter().map(|python| format!("3.{}", python.minor)).collect();
    match found.into_iter().find(|python| (oldest..=newest).contains(&python.minor)) {
        Some(python) => Ok(python),
        None if seen.is_empty() => bail!(
            "no python3 on the PATH; install Python 3.{oldest} to 3.{newest} with its venv module (Debian and Ubuntu: packages python3 and python3-venv)"
        ),
        None => bail!(
            "needs Python 3.{oldest} to 3.{newest}, and the PATH has only {}; install one, e.g. package python3.12",
            seen.join(", ")
        ),
    }
}

fn probe(name: &str) -> Option<Python> {
    let output = Command::new(name).args(["-I", "-c", PROBE]).output().ok()?;
    parse(&String::from_utf8(output.stdout).ok()?).ok()
}

fn parse(text: &str) -> anyhow::Result<Python> {
    let (version, path) = text.trim_end().split_once('\n').context("one line")?;
    let minor = version.strip_prefix("3 ").context("not a Python 3")?.parse()?;
    Ok(Python { minor, path: PathBuf::from(path) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_gives_version_and_path() {
        assert_eq!(parse("3 12\n/opt/a b/python3\n").unwrap(), Python { minor: 12, path: PathBuf::from("/opt/a b/python3") });
        for other in ["", "2 7\n/usr/bin/python\n", "3 x\n/p\n", "3 12"] {
            assert!(parse(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn missing_python_error_names_the_versions() {
        let message = find(90, 91).unwrap_err().to_string();
        assert!(message.contains("3.90 to 3.91"), "{message}");
    }
}
