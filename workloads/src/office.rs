//! An ordinary morning: people ask when they like, long and short.
//!
//! Shape: open loop, 200 requests at 0.3 per second, gamma gaps of shape 0.7 (burstier than Poisson); prompts uniform from 400 to 7600
//! tokens, outputs uniform from 50 to 950. Nothing is held back in the client.
//!
//! How to read a change: TTFT counts from the scheduled time, so a queue shows in it. Below saturation the median moves with prefill and
//! the 95th percentile with how bursts are absorbed; attainment of the SLO joins both. Trials of one seed have the same arrivals and
//! prompts, so a comparison pairs them.
//!
//! The SLO is ours: 2 s to the first token, 100 ms per token after it (10 tok/s, about twice as fast as people read).
//!
//! Provenance: test 7 of the DGX Spark arena (djangodevreng.nl, CC-BY-4.0): random lengths 4000 and 500 with a range ratio of 0.9, rate
//! 0.3, burstiness 0.7. There the text is random tokens; here it is prose.

use record::{
    Arrival, Length, Load, Metric, PrefixReuse,
    Profile::{Quick, Smoke},
    Slo,
};

use crate::spec::{GateSpec, PointSpec, WorkloadSpec};

/// 4000 and 500 tokens, each 90 % more or less; `peak` has the same.
pub(crate) const PROMPT_TOKENS: Length = Length::Uniform { low: 400, high: 7600 };
pub(crate) const OUTPUT_TOKENS: Length = Length::Uniform { low: 50, high: 950 };
pub(crate) const SMOKE_PROMPT_TOKENS: Length = Length::Uniform { low: 192, high: 512 };
pub(crate) const SMOKE_OUTPUT_TOKENS: Length = Length::Uniform { low: 8, high: 48 };
/// The service-level objective of every open-loop workload.
pub(crate) const SLO: Slo = Slo { ttft_ms: 2000, tpot_ms: 100 };
pub(crate) const INSTRUCTIONS: &[&str] = &[
    "Please draft a reply to the last person named above.",
    "Give me the main points of this, so that I can mention them in a meeting.",
    "Is anything in here urgent? If so, what, and for whom?",
    "Rewrite this for someone who was not there.",
];

pub const SPEC: WorkloadSpec = WorkloadSpec {
    name: "office",
    version: 1,
    title: "An ordinary morning",
    question: "How does it feel on an ordinary morning?",
    points: &[PointSpec {
        name: "r0.3",
        load: Load::Open { rate_per_s: 0.3, arrival: Arrival::Gamma { shape: 0.7 }, requests: 200 },
        prompt_tokens: PROMPT_TOKENS,
        output_tokens: OUTPUT_TOKENS,
        least: Quick,
    }],
    smoke: &[PointSpec {
        name: "r8",
        load: Load::Open { rate_per_s: 8.0, arrival: Arrival::Gamma { shape: 0.7 }, requests: 24 },
        prompt_tokens: SMOKE_PROMPT_TOKENS,
        output_tokens: SMOKE_OUTPUT_TOKENS,
        least: Smoke,
    }],
    prefix_reuse: PrefixReuse::Forbidden,
    structured: false,
    gates: &[GateSpec::new("r0.3", Metric::TtftP95Ns, 0.10)],
    slo: Some(SLO),
    instructions: INSTRUCTIONS,
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
