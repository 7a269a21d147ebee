//! The harness from outside.
//!
//! - `container`: engines in containers, by the real Docker daemon: boots, failures, and that nothing of them is left.
//! - `drive`: the drive loop, in virtual time.
//! - `faults`: a trial against a server with every fault, held against the server's log.
//! - `process`: engines as processes, how they fail to boot, and that nothing of them is left.
//! - `session`: boots, repeated trials, two runs in turns, on the simulated Spark.
//! - `server_watch`: what the server says of itself while a trial runs.
//! - `wire`: bytes that servers were seen to send, and servers that misbehave.

#[cfg(feature = "container")]
#[cfg(test)]
mod container;
#[cfg(test)]
mod drive;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod process;
#[cfg(test)]
mod server_watch;
#[cfg(test)]
mod session;
#[cfg(test)]
mod wire;
