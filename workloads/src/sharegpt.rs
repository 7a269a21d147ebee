//! A real length mix: short questions, long answers, and now and then the reverse.
//!
//! Shape: open loop, 250 requests at 0.3 per second, gamma gaps of shape 0.7. Lengths are those of recorded conversations: from a
//! `ShareGPT` file if one is given ([`mod@file`]), else from the distribution in [`lengths`]. The record says which. The text is the corpus's
//! in both cases, so that prompts are unique from their first word and sized exactly. A length counts the text; the chat template comes on top.
//!
//! How to read a change: most prompts are short, so TTFT shows the engine's overhead per request more than prefill; the mix of output
//! lengths tests how well a batch is refilled. The source of lengths is part of the workload's hash: see
//! [`crate::with_recorded_lengths`].
//!
//! Provenance: test 8 of the DGX Spark arena (djangodevreng.nl, CC-BY-4.0). The SLO is ours, as in [`crate::office`].

pub mod file;
pub mod lengths;

pub use lengths::{RecordedLengths, RecordedPair};
use record::{
    Arrival, Length, Load, Metric, PrefixReuse,
    Profile::{Quick, Smoke},
};

use crate::office::SLO;
use crate::spec::{GateSpec, PointSpec, WorkloadSpec};

pub const SPEC: WorkloadSpec = WorkloadSpec {
    name: "sharegpt",
    version: 1,
    title: "Recorded lengths",
    question: "How does it serve a real mix of lengths?",
    points: &[PointSpec {
        name: "r0.3",
        load: Load::Open { rate_per_s: 0.3, arrival: Arrival::Gamma { shape: 0.7 }, requests: 250 },
        prompt_tokens: Length::Recorded { high: lengths::MOST_PROMPT_TOKENS },
        output_tokens: Length::Recorded { high: lengths::MOST_TOKENS - lengths::LEAST_TOKENS },
        least: Quick,
    }],
    smoke: &[PointSpec {
        name: "r8",
        load: Load::Open { rate_per_s: 8.0, arrival: Arrival::Gamma { shape: 0.7 }, requests: 24 },
        prompt_tokens: Length::Recorded { high: 448 },
        output_tokens: Length::Recorded { high: 48 },
        least: Smoke,
    }],
    prefix_reuse: PrefixReuse::Forbidden,
    structured: false,
    gates: &[GateSpec::new("r0.3", Metric::TtftP95Ns, 0.10)],
    slo: Some(SLO),
    instructions: &[
        "What do you think about this?",
        "Can you explain this to me in simple words?",
        "Please make this better, and tell me what you changed.",
        "Write something like this for me.",
    ],
    follow_ups: &[],
    turn_tokens: None,
};

#[cfg(test)]
mod tests {
    #[test]
    fn plan_matches_snapshot() {
        insta::assert_snapshot!(crate::planning::summary::of(&super::SPEC));
    }
}
