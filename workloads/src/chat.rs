//! Short context: what one and ten people feel.
//!
//! Shape: closed loop, 1024 prompt tokens, 1024 output tokens, 1, 5 and 10 streams, 4 requests per stream.
//!
//! How to read a change: nearly all of a request is decode, so TPOT carries it. A change at one stream alone is bandwidth (weights,
//! kernels, quantization); one that grows with the streams is batching or scheduling. TTFT is small here and moves with prefill and
//! with the engine's own overhead per request.
//!
//! Provenance: test 1 of the DGX Spark arena (djangodevreng.nl, CC-BY-4.0), which runs the same lengths and streams with llama-benchy.

use record::{
    Metric, PrefixReuse,
    Profile::{Quick, Smoke, Standard},
};

use crate::spec::{GateSpec, PointSpec, WorkloadSpec};

const TOKENS: (u32, u32) = (1024, 1024);
const SMOKE: (u32, u32) = (256, 32);

pub const SPEC: WorkloadSpec = WorkloadSpec {
    name: "chat",
    version: 1,
    title: "Chat, short context",
    question: "What do one and ten people feel with a short context?",
    points: &[
        PointSpec::closed("c1", 1, 4, TOKENS, Quick),
        PointSpec::closed("c5", 5, 4, TOKENS, Standard),
        PointSpec::closed("c10", 10, 4, TOKENS, Quick),
    ],
    smoke: &[PointSpec::closed("c1", 1, 2, SMOKE, Smoke), PointSpec::closed("c4", 4, 2, SMOKE, Smoke)],
    prefix_reuse: PrefixReuse::Forbidden,
    structured: false,
    gates: &[GateSpec::new("c10", Metric::OutputTokS, 0.03)],
    slo: None,
    instructions: &[
        "Explain to a new colleague what happened here, and what should be done next.",
        "Which of these events belong together? Give your reasons in full.",
        "Write a long answer to the people named above: what went well, and what did not?",
        "Tell this as a story for a newspaper, with every detail that matters.",
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
