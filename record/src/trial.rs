//! A trial: one execution of one plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Cell, Observation, ServerWatch};

/// One execution of one plan: raw observations, and the facts that validity is decided from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trial {
    /// The cell that was measured.
    pub cell: Cell,
    /// The boot it belongs to, from 0.
    pub boot: u32,
    /// Its number among the trials of this cell, over all boots, from 0.
    pub trial: u32,
    /// 0 for the first; 1 where that was invalid and this one repeats it with its seed.
    #[serde(default, skip_serializing_if = "crate::header::is_zero")]
    pub attempt: u32,
    /// Its place in the run, from 0.
    pub order: u32,
    /// The seed that the plan was drawn from.
    pub seed: u64,
    /// Digest of all prompts, lengths and releases: equal digests are equal loads.
    pub plan_digest: String,
    /// From the trial's begin until its last request ended, in nanoseconds.
    pub duration_ns: u64,
    /// The warm-up before it, which is not measured.
    pub warm_up: WarmUp,
    /// One per planned request, in the plan's order.
    pub observations: Vec<Observation>,
    /// The server's own counters before and after, where it has them.
    pub counters: Option<Counters>,
    /// The same and more under this project's names, through the dialect's name table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerWatch>,
    /// The instrument's and the machine's condition during the trial.
    pub facts: TrialFacts,
}

/// The warm-up before a trial: the measured shape and concurrency, with prompts that are not measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WarmUp {
    /// Requests that the warm-up's plan holds.
    pub requests: u32,
    /// How many of them completed.
    pub completed: u32,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
}

/// The server's counters, by the names it gives them, labels dropped and summed over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counters {
    /// Just before the trial.
    pub before: BTreeMap<String, f64>,
    /// Just after the trial; empty where the engine was dead by then.
    pub after: BTreeMap<String, f64>,
}

/// The instrument's and the machine's condition during a trial: CPU time, timer lag, swap, connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrialFacts {
    /// Why the trial was cut short, if it was: an interrupt, the trial's time limit, a dead engine.
    pub cut_short: Option<String>,
    /// How the prefix cache was emptied before the trial, or why it was not; none where the dialect has no means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_reset: Option<String>,
    /// CPU time of the measuring process, in nanoseconds; none in virtual time.
    pub client_cpu_ns: Option<u64>,
    /// CPU time of the engine's processes, in nanoseconds, where they can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_cpu_ns: Option<u64>,
    /// CPU time of the whole machine, by every process, in nanoseconds over all processors; none in virtual time or when attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_cpu_ns: Option<u64>,
    /// CPU time that a hypervisor gave to others, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stolen_cpu_ns: Option<u64>,
    /// Bytes that the machine read back from swap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swapped_in_bytes: Option<u64>,
    /// How late a 10 ms timer on the measuring thread woke, 99th percentile and worst, in nanoseconds; none in virtual time.
    pub timer_lag_p99_ns: Option<u64>,
    /// The worst of the same.
    pub timer_lag_max_ns: Option<u64>,
    /// Counts of the client's connections; none in virtual time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<WireCounts>,
}

/// Counts of the client's connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WireCounts {
    /// Connections that were opened.
    pub opened: u64,
    /// Reads that brought something, or the end of a connection.
    pub reads: u64,
    /// Reads that filled all the room there was, so that more was waiting: the client was behind.
    pub full_reads: u64,
    /// Requests that the kernel did not take at once: the server, or the wire, was behind.
    pub blocked_writes: u64,
    /// Requests that were sent once more, over a new connection, since the kept one ended as it was used.
    #[serde(default)]
    pub sent_again: u64,
}

impl WireCounts {
    /// The counts since an earlier reading.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            opened: self.opened.saturating_sub(before.opened),
            reads: self.reads.saturating_sub(before.reads),
            full_reads: self.full_reads.saturating_sub(before.full_reads),
            blocked_writes: self.blocked_writes.saturating_sub(before.blocked_writes),
            sent_again: self.sent_again.saturating_sub(before.sent_again),
        }
    }
}
