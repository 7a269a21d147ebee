//! Exit codes: one list, the same for every verb.

/// How a verb ended. docs/ci.md documents the numbers; they do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The verb did what was asked; a verdict, if there was one, found no regression.
    Success = 0,
    /// A bug in this program.
    Bug = 1,
    /// The command line or a recipe is wrong.
    Usage = 2,
    /// The engine or the environment failed.
    Engine = 3,
    /// A measurement is invalid, or a comparison is refused or insufficient.
    Invalid = 4,
    /// A verdict: at least one gate cell is worse by more than its margin.
    Regressed = 5,
    /// Inconclusive, where the policy says that this fails.
    Inconclusive = 6,
    /// This build lacks a part that is needed, e.g. what speaks to Docker. `cargo xtask` builds it and calls again.
    NotBuiltIn = 69,
    /// Interrupted; what was measured is kept.
    Interrupted = 130,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
