//! Aggregate throughput, its peak, and where it falls: extraction from many records at once.
//!
//! Shape: closed loop, 1500 prompt tokens, 400 output tokens, 1 to 384 streams, 2 requests per stream. JSON by schema is asked for where
//! the engine supports it.
//!
//! How to read a change: output tok/s over the streams rises, flattens and, past the engine's own limits, falls. A peak that moved to
//! more streams is room in the KV cache or a larger batch; a lower plateau at the same place is kernels; a plateau from few streams on
//! is a limit on running requests, and the rest queues.
//!
//! Provenance: dendro-logic's concurrency sweep on a DGX Spark (2026-04-22): the same lengths and streams, but there all requests share one
//! prompt, which a prefix cache answers. Here every prompt is its own.

use record::{
    Metric, PrefixReuse,
    Profile::{Quick, Smoke, Standard},
};

use crate::spec::{GateSpec, PointSpec, WorkloadSpec};

const TOKENS: (u32, u32) = (1500, 400);
const SMOKE: (u32, u32) = (256, 32);

pub const SPEC: WorkloadSpec = WorkloadSpec {
    name: "batch",
    version: 1,
    title: "Batch extraction",
    question: "How much throughput is there in all, where is its peak, and where does it fall?",
    points: &[
        PointSpec::closed("c1", 1, 2, TOKENS, Standard),
        PointSpec::closed("c2", 2, 2, TOKENS, Standard),
        PointSpec::closed("c4", 4, 2, TOKENS, Standard),
        PointSpec::closed("c8", 8, 2, TOKENS, Standard),
        PointSpec::closed("c16", 16, 2, TOKENS, Standard),
        PointSpec::closed("c32", 32, 2, TOKENS, Quick),
        PointSpec::closed("c64", 64, 2, TOKENS, Standard),
        PointSpec::closed("c128", 128, 2, TOKENS, Quick),
        PointSpec::closed("c256", 256, 2, TOKENS, Standard),
        PointSpec::closed("c384", 384, 2, TOKENS, Standard),
    ],
    smoke: &[PointSpec::closed("c4", 4, 2, SMOKE, Smoke), PointSpec::closed("c16", 16, 2, SMOKE, Smoke)],
    prefix_reuse: PrefixReuse::Forbidden,
    structured: true,
    gates: &[GateSpec::new("c128", Metric::OutputTokS, 0.03)],
    slo: None,
    instructions: &[
        "Extract every person, place, thing and number from the records above. Answer with one JSON object and nothing else.",
        "List as one JSON object the people, places, things and numbers named in the records above. Write nothing else.",
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
