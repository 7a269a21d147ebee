//! Prefill and decode mixed: long documents, short answers, several people at once.
//!
//! Shape: closed loop, 8192 prompt tokens, 512 output tokens, 5, 10 and 20 streams, 4 requests per stream.
//!
//! How to read a change: TTFT under load is prefill and the order in which the engine takes it up; TPOT shows how much a prefill holds
//! up the decodes beside it. One of them better and the other worse is a scheduling trade (chunk size, prefill priority), not a gain.
//!
//! Provenance: test 2 of the DGX Spark arena (djangodevreng.nl, CC-BY-4.0), same lengths and streams.

use record::{
    Metric, PrefixReuse,
    Profile::{Quick, Smoke, Standard},
};

use crate::spec::{GateSpec, PointSpec, WorkloadSpec};

const TOKENS: (u32, u32) = (8192, 512);
const SMOKE: (u32, u32) = (512, 32);

pub const SPEC: WorkloadSpec = WorkloadSpec {
    name: "rag",
    version: 1,
    title: "Retrieval, 8k prompts",
    question: "What happens when prefill and decode mix?",
    points: &[
        PointSpec::closed("c5", 5, 4, TOKENS, Quick),
        PointSpec::closed("c10", 10, 4, TOKENS, Standard),
        PointSpec::closed("c20", 20, 4, TOKENS, Standard),
    ],
    smoke: &[PointSpec::closed("c4", 4, 2, SMOKE, Smoke)],
    prefix_reuse: PrefixReuse::Forbidden,
    structured: false,
    gates: &[GateSpec::new("c20", Metric::TtftP50Ns, 0.05)],
    slo: None,
    instructions: &[
        "Using only the records above, say who was responsible for what, and quote the lines that show it.",
        "Answer from the records above: which problems came back more than once, and where?",
        "Summarise the records above for someone who has to decide tomorrow. Leave nothing out that costs money.",
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
