//! Long prompts: the silence before the first token.
//!
//! Shape: closed loop, prompts of 4096, 8192, 16384 and 25000 tokens at 1, 5, 10 and 20 streams, and of 32768 and 65536 tokens at one;
//! 256 output tokens, 2 requests per stream.
//!
//! How to read a change: at one stream, prompt tokens over TTFT is the prefill rate; its fall with length is attention's quadratic part.
//! At several streams TTFT is queueing for prefill: the last of 20 waits for 19 others. TPOT here is decode over a long context, and,
//! under load, decode that waits for other prefills.
//!
//! Provenance: test 5 of the DGX Spark arena (djangodevreng.nl, CC-BY-4.0) up to 25000 tokens; the two longest are ours, after the
//! context lengths of The Register's review of the Spark.

use record::{
    Metric, PrefixReuse,
    Profile::{Full, Quick, Smoke, Standard},
};

use crate::spec::{GateSpec, PointSpec, WorkloadSpec};

const fn point(name: &'static str, prompt_tokens: u32, streams: u32, least: record::Profile) -> PointSpec {
    PointSpec::closed(name, streams, 2, (prompt_tokens, 256), least)
}

pub const SPEC: WorkloadSpec = WorkloadSpec {
    name: "long-prefill",
    version: 1,
    title: "Long prompts",
    question: "How long is the silence before the first token?",
    points: &[
        point("p4096-c1", 4096, 1, Standard),
        point("p4096-c5", 4096, 5, Standard),
        point("p4096-c10", 4096, 10, Standard),
        point("p4096-c20", 4096, 20, Standard),
        point("p8192-c1", 8192, 1, Quick),
        point("p8192-c5", 8192, 5, Standard),
        point("p8192-c10", 8192, 10, Standard),
        point("p8192-c20", 8192, 20, Standard),
        point("p16384-c1", 16384, 1, Standard),
        point("p16384-c5", 16384, 5, Standard),
        point("p16384-c10", 16384, 10, Full),
        point("p16384-c20", 16384, 20, Full),
        point("p25000-c1", 25000, 1, Quick),
        point("p25000-c5", 25000, 5, Standard),
        point("p25000-c10", 25000, 10, Full),
        point("p25000-c20", 25000, 20, Full),
        point("p32768-c1", 32768, 1, Standard),
        point("p65536-c1", 65536, 1, Standard),
    ],
    smoke: &[
        PointSpec::closed("p384-c1", 1, 2, (384, 16), Smoke),
        PointSpec::closed("p512-c1", 1, 2, (512, 16), Smoke),
        PointSpec::closed("p512-c4", 4, 2, (512, 16), Smoke),
    ],
    prefix_reuse: PrefixReuse::Forbidden,
    structured: false,
    gates: &[GateSpec::new("p25000-c1", Metric::PrefillTokS, 0.03)],
    slo: None,
    instructions: &[
        "Find the three most important lines in the records above, and say why.",
        "What is the last thing that was decided in the records above?",
        "Draw up a short list of everything in the records above that is still open.",
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
