//! The harness from outside.
//!
//! - `drive`: the drive loop, in virtual time.
//! - `process`: engines as processes, how they fail to boot, and that nothing of them is left.
//! - `server_watch`: what the server says of itself while a trial runs.
//! - `wire`: bytes that servers were seen to send, and servers that misbehave.

#[cfg(test)]
mod drive;
#[cfg(test)]
mod process;
#[cfg(test)]
mod server_watch;
#[cfg(test)]
mod wire;
