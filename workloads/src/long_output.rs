//! Decode alone: a short question and a very long answer.
//!
//! Shape: closed loop, 256 prompt tokens, 4096 output tokens, 1, 5 and 10 streams, 2 requests per stream.
//!
//! How to read a change: prefill is noise here. TPOT at one stream is memory bandwidth over the bytes read per step; its growth from
//! 1 to 10 streams is the batch's price, and its growth along one answer is attention over a longer context.
//!
//! Provenance: test 3 of the DGX Spark arena (djangodevreng.nl, CC-BY-4.0), same lengths and streams.

use record::{
    Metric, PrefixReuse,
    Profile::{Quick, Smoke, Standard},
};

use crate::spec::{GateSpec, PointSpec, WorkloadSpec};

const TOKENS: (u32, u32) = (256, 4096);
const SMOKE: (u32, u32) = (256, 48);

pub const SPEC: WorkloadSpec = WorkloadSpec {
    name: "long-output",
    version: 1,
    title: "Long output",
    question: "How fast is decode alone?",
    points: &[
        PointSpec::closed("c1", 1, 2, TOKENS, Quick),
        PointSpec::closed("c5", 5, 2, TOKENS, Standard),
        PointSpec::closed("c10", 10, 2, TOKENS, Standard),
    ],
    smoke: &[PointSpec::closed("c2", 2, 2, SMOKE, Smoke)],
    prefix_reuse: PrefixReuse::Forbidden,
    structured: false,
    gates: &[GateSpec::new("c1", Metric::OutputTokS, 0.03)],
    slo: None,
    instructions: &[
        "Continue these records for a whole year, month by month, in the same manner.",
        "Write the first chapters of a novel that begins with these lines.",
        "Work out a complete handbook for everyone who is named here.",
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
