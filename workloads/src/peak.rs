//! Overload: does it queue or break, and how fast does it recover?
//!
//! Shape: open loop, 300 requests at 1.5 per second, Poisson; lengths as in `office`. That is several times what a Spark serves with the
//! models it is bought for, for 200 seconds, and nothing is held back in the client: the engine's own limit is what queues.
//!
//! How to read a change: output tok/s is the engine at saturation. TTFT grows along the run by design, so its percentiles say how long
//! the queue became; failures say that it broke instead. The time from the last arrival until the queue is empty is the recovery.
//!
//! Provenance: test 10 of the DGX Spark arena (djangodevreng.nl, CC-BY-4.0), with one correction: its client holds all but 25 requests back,
//! which hides the queue from TTFT.

use record::{
    Arrival, Load, Metric, PrefixReuse,
    Profile::{Quick, Smoke},
};

use crate::office::{INSTRUCTIONS, OUTPUT_TOKENS, PROMPT_TOKENS, SLO, SMOKE_OUTPUT_TOKENS, SMOKE_PROMPT_TOKENS};
use crate::spec::{GateSpec, PointSpec, WorkloadSpec};

pub const SPEC: WorkloadSpec = WorkloadSpec {
    name: "peak",
    version: 1,
    title: "Overload",
    question: "Under overload, does it queue or break, and how fast does it recover?",
    points: &[PointSpec {
        name: "r1.5",
        load: Load::Open { rate_per_s: 1.5, arrival: Arrival::Poisson, requests: 300 },
        prompt_tokens: PROMPT_TOKENS,
        output_tokens: OUTPUT_TOKENS,
        least: Quick,
    }],
    smoke: &[PointSpec {
        name: "r16",
        load: Load::Open { rate_per_s: 16.0, arrival: Arrival::Poisson, requests: 24 },
        prompt_tokens: SMOKE_PROMPT_TOKENS,
        output_tokens: SMOKE_OUTPUT_TOKENS,
        least: Smoke,
    }],
    prefix_reuse: PrefixReuse::Forbidden,
    structured: false,
    gates: &[GateSpec::new("r1.5", Metric::TtftP95Ns, 0.10)],
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
