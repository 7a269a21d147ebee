//! The specification of a workload as data, and the cells that a profile takes from it.

use record::{Cell, Gate, Length, Load, Metric, PrefixReuse, Profile, Slo};
use serde::Serialize;
use sha2::{Digest, Sha256};
use strsim::levenshtein;
use thiserror::Error;

use crate::{ALL, RecordedLengths, corpus};

#[cfg(test)]
mod tests;

/// Raised whenever a seed would give other requests though no SPEC and no word of the corpus changed.
const PLANNER_VERSION: u32 = 1;

/// A workload: a named, versioned load. Fields that the hash leaves out are marked; all others define the load.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkloadSpec {
    /// Its name on the command line and in records.
    pub name: &'static str,
    /// Raised when its meaning changes.
    pub version: u32,
    /// A few words for headings; not hashed.
    #[serde(skip)]
    pub title: &'static str,
    /// The question that it answers; not hashed.
    #[serde(skip)]
    pub question: &'static str,
    pub points: &'static [PointSpec],
    /// The miniature's points; hashed for the miniature alone, which in turn leaves out `points`.
    #[serde(skip)]
    pub smoke: &'static [PointSpec],
    /// Whether a prompt may share its head with an earlier one.
    pub prefix_reuse: PrefixReuse,
    /// JSON by schema is requested.
    pub structured: bool,
    /// The service-level objective that a request must meet to count as good.
    pub slo: Option<Slo>,
    /// The gates of a verdict, at most two; not hashed, since they do not change the load.
    #[serde(skip)]
    pub gates: &'static [GateSpec],
    /// Instructions that end a prompt; each prompt draws one.
    pub instructions: &'static [&'static str],
    /// Instructions of a later turn of a conversation.
    pub follow_ups: &'static [&'static str],
    /// Tokens that each later turn adds to the context, besides the answer before it; conversations only.
    pub turn_tokens: Option<u32>,
}

/// One point of a workload's load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PointSpec {
    /// Its name within the workload.
    pub name: &'static str,
    /// How requests are released.
    pub load: Load,
    pub prompt_tokens: Length,
    pub output_tokens: Length,
    /// The smallest profile that takes it; not hashed, since it does not change the load.
    #[serde(skip)]
    pub least: Profile,
}

/// A metric at a point that a verdict is about, and its margin.
///
/// A percentile is gated only where a trial has the requests for it: 30 for a median, 100 for p95. So decoding of a single stream is
/// gated by its output tok/s, which is a sum and no percentile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateSpec {
    pub point: &'static str,
    pub metric: Metric,
    /// The smallest change worth acting on, as a share: 3 % of decode and aggregate rates, 5 % of prefill and of median TTFT, 10 % of p95.
    pub margin: f64,
}

impl GateSpec {
    #[must_use]
    pub const fn new(point: &'static str, metric: Metric, margin: f64) -> Self {
        Self { point, metric, margin }
    }
}

impl PointSpec {
    /// A closed-loop point with fixed lengths.
    #[must_use]
    pub const fn closed(name: &'static str, streams: u32, requests_per_stream: u32, tokens: (u32, u32), least: Profile) -> Self {
        let load = Load::Closed { streams, requests_per_stream };
        let (prompt_tokens, output_tokens) = (Length::Fixed { tokens: tokens.0 }, Length::Fixed { tokens: tokens.1 });
        Self { name, load, prompt_tokens, output_tokens, least }
    }

    /// A point of conversations: `tokens` of the first prompt, and of each answer.
    #[must_use]
    pub const fn conversations(name: &'static str, conversations: u32, turns: u32, tokens: (u32, u32), least: Profile) -> Self {
        let load = Load::Conversations { conversations, turns };
        let (prompt_tokens, output_tokens) = (Length::Fixed { tokens: tokens.0 }, Length::Fixed { tokens: tokens.1 });
        Self { name, load, prompt_tokens, output_tokens, least }
    }
}

impl WorkloadSpec {
    /// The workload's hash, 16 hexadecimal digits: SHA-256 over the SPEC as JSON, the corpus and the planner's version. The miniature
    /// has its own.
    ///
    /// # Panics
    /// Never: plain data always serialises.
    #[must_use]
    pub fn hash(&self, miniature: bool) -> String {
        let points = if miniature { self.smoke } else { self.points };
        let hashed = (WorkloadSpec { points, ..self.clone() }, miniature, corpus::digest(), PLANNER_VERSION);
        let json = serde_json::to_vec(&hashed).expect("plain data serialises");
        corpus::hex(&Sha256::digest(json)[..8])
    }

    /// True where requests arrive whatever the engine does: latency counts from the scheduled time, and trials pair by seed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.points.iter().any(|point| point.load.is_open())
    }

    /// The cells that a profile takes, in the order of the points.
    #[must_use]
    pub fn cells(&self, profile: Profile) -> Vec<Cell> {
        let miniature = profile == Profile::Smoke;
        let workload_hash = self.hash(miniature);
        let points = if miniature { self.smoke } else { self.points };
        let taken = points.iter().filter(|point| point.least <= profile);
        taken
            .map(|point| Cell {
                workload: self.name.to_owned(),
                workload_hash: workload_hash.clone(),
                point: point.name.to_owned(),
                load: point.load,
                prompt_tokens: point.prompt_tokens,
                output_tokens: point.output_tokens,
                prefix_reuse: self.prefix_reuse,
                structured: self.structured,
                slo: self.slo,
                comparable: !miniature,
            })
            .collect()
    }
}

/// The workload of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static WorkloadSpec> {
    ALL.iter().copied().find(|spec| spec.name == name)
}

/// Tokens that each later turn of a cell's conversations adds, besides the answer before it; 0 where there are none.
#[must_use]
pub fn turn_tokens(cell: &Cell) -> u32 {
    find(&cell.workload).and_then(|spec| spec.turn_tokens).unwrap_or(0)
}

/// The cells that a profile takes from the named workloads, in the suite's order; no names means all workloads.
pub fn cells(profile: Profile, names: &[String]) -> Result<Vec<Cell>, UnknownWorkload> {
    if let Some(name) = names.iter().find(|name| find(name).is_none()) {
        return Err(UnknownWorkload::new(name));
    }
    let wanted = ALL.iter().filter(|spec| names.is_empty() || names.iter().any(|name| name == spec.name));
    Ok(wanted.flat_map(|spec| spec.cells(profile)).collect())
}

/// The gates of the suite among these cells, in its order. A miniature has none. Trials of an open loop belong together by their seed.
#[must_use]
pub fn gates(cells: &[Cell]) -> Vec<Gate> {
    let declared = ALL.iter().flat_map(|spec| spec.gates.iter().map(move |gate| (spec, gate)));
    let among = declared.filter_map(|(spec, gate)| {
        let cell = cells.iter().find(|cell| cell.comparable && cell.workload == spec.name && cell.point == gate.point)?;
        Some(Gate { cell: cell.name(), metric: gate.metric, margin: gate.margin, paired_by_seed: cell.load.is_open() })
    });
    among.collect()
}

/// The cells, with the source of recorded lengths in the identity of those that use it: a run from a file and one of drawn lengths
/// ask different things, and must not share a hash.
#[must_use]
pub fn with_recorded_lengths(mut cells: Vec<Cell>, recorded: &RecordedLengths) -> Vec<Cell> {
    let is_recorded = |length| matches!(length, Length::Recorded { .. });
    for cell in cells.iter_mut().filter(|cell| is_recorded(cell.prompt_tokens) || is_recorded(cell.output_tokens)) {
        let both = format!("{}\n{}", cell.workload_hash, recorded.describe());
        cell.workload_hash = corpus::hex(&Sha256::digest(both)[..8]);
    }
    cells
}

/// How often a profile repeats each cell, where the command line does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileDefaults {
    /// Boots of the engine.
    pub boots: u32,
    /// Trials of each cell in each boot.
    pub trials_per_boot: u32,
}

/// How often a profile repeats each cell. A boot is the unit that a comparison counts, so trials go into boots.
#[must_use]
pub fn defaults(profile: Profile) -> ProfileDefaults {
    let (boots, trials_per_boot) = match profile {
        Profile::Smoke => (1, 3),
        Profile::Quick => (3, 1),
        Profile::Standard => (5, 1),
        Profile::Full => (10, 1),
    };
    ProfileDefaults { boots, trials_per_boot }
}

/// A name that no workload has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no workload `{name}`{}; there are {}", nearest.map_or_else(String::new, |near| format!(", did you mean `{near}`?")), known.join(", "))]
pub struct UnknownWorkload {
    pub name: String,
    /// The workload that may have been meant.
    pub nearest: Option<&'static str>,
    /// All names, in the suite's order.
    pub known: Vec<&'static str>,
}

impl UnknownWorkload {
    /// The error for a name, with the nearest known one unless all are far off.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let known: Vec<_> = ALL.iter().map(|spec| spec.name).collect();
        let nearest = known.iter().copied().min_by_key(|known| levenshtein(name, known));
        // Half a name in common is too little to guess from.
        let nearest = nearest.filter(|near| levenshtein(name, near) * 2 <= near.len());
        Self { name: name.to_owned(), nearest, known }
    }
}
