//! Lines for the person at the terminal.

use std::{io::Write, sync::OnceLock};

/// The name under which the command line was called.
static CALLER: OnceLock<String> = OnceLock::new();

/// How texts name the command line.
pub const PROGRAM: &str = "sparkgauge";

/// Notes how the command line was called, by its first words: in a clone that is `cargo xtask`. The first call counts.
pub fn set_caller(command: &[String]) {
    CALLER.get_or_init(|| caller_of(command));
}

/// How the command line was called for a command, by its first words.
#[must_use]
pub fn caller_of(command: &[String]) -> String {
    match command {
        [cargo, xtask, ..] if cargo == "cargo" => format!("{cargo} {xtask}"),
        _ => PROGRAM.to_owned(),
    }
}

/// How this person calls the command line.
#[must_use]
pub fn caller() -> &'static str {
    CALLER.get().map_or(PROGRAM, String::as_str)
}

/// Says a line on stderr, since stdout is for data.
pub fn say(line: &str) {
    // Nobody may be reading any more; the work goes on.
    let _ = writeln!(std::io::stderr(), "{}", as_called(line));
}

/// A text with its commands (`` `sparkgauge report RUN` ``) named as this person calls them.
#[must_use]
pub fn as_called(text: &str) -> String {
    as_called_by(text, caller())
}

fn as_called_by(text: &str, caller: &str) -> String {
    text.replace(&format!("`{PROGRAM} "), &format!("`{caller} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_named_after_their_caller() {
        let line = "see `sparkgauge report runs/sparkgauge x` and sparkgauge itself";
        assert_eq!(as_called_by(line, "cargo xtask"), "see `cargo xtask report runs/sparkgauge x` and sparkgauge itself");
        assert_eq!(as_called_by(line, PROGRAM), line);
    }
}
