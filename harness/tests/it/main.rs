//! The harness from outside.
//!
//! - `drive`: the drive loop, in virtual time.
//! - `process`: engines as processes, how they fail to boot, and that nothing of them is left.
//! - `wire`: bytes that servers were seen to send, and servers that misbehave.

#[cfg(test)]
mod drive;
#[cfg(test)]
mod process;
#[cfg(test)]
mod wire;
