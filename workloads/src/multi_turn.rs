//! A growing context: conversations whose every turn contains the turns before it.
//!
//! Shape: closed loop of 1, 5 and 10 conversations. The first prompt has 2048 tokens; each of the 4 later turns adds the answer before
//! it, 512 tokens by script, and 128 tokens of its own: 2048, 2688, 3328, 3968, 4608. Each answer has 512 tokens. The answers in the
//! context are scripted, not the engine's: only so is the context the same for every engine. An engine's cache therefore holds a
//! turn up to its user message and not the answer that it generated itself.
//!
//! How to read a change: with a prefix cache, TTFT from the second turn on is the prefill of about 640 tokens, not of the whole context;
//! the share of cached tokens is reported beside it. TTFT that grows with the turns means that reuse does not work, or that the
//! cache was full. TPOT shows decode at a few thousand tokens of context.
//!
//! Provenance: test 4 of the DGX Spark arena (djangodevreng.nl, CC-BY-4.0), with one correction: its `--depth 4` gives four tokens of
//! context, not five turns.

use record::{
    Metric, PrefixReuse,
    Profile::{Quick, Smoke, Standard},
};

use crate::spec::{GateSpec, PointSpec, WorkloadSpec};

const TURNS: u32 = 5;
const TOKENS: (u32, u32) = (2048, 512);
const SMOKE: (u32, u32) = (256, 32);

pub const SPEC: WorkloadSpec = WorkloadSpec {
    name: "multi-turn",
    version: 1,
    title: "Conversations, growing context",
    question: "What does a growing context cost, and does prefix reuse work?",
    points: &[
        PointSpec::conversations("c1", 1, TURNS, TOKENS, Standard),
        PointSpec::conversations("c5", 5, TURNS, TOKENS, Quick),
        PointSpec::conversations("c10", 10, TURNS, TOKENS, Standard),
    ],
    smoke: &[PointSpec::conversations("c2", 2, 4, SMOKE, Smoke)],
    prefix_reuse: PrefixReuse::Allowed,
    structured: false,
    gates: &[GateSpec::new("c10", Metric::TtftP50Ns, 0.05)],
    slo: None,
    instructions: &[
        "Read these records. What would you ask first?",
        "Help me understand these records. Where should I begin?",
        "I have to answer for this. What matters most?",
    ],
    follow_ups: &[
        "Does this change your view?",
        "How does that fit what you said before?",
        "Who should be told, and why?",
        "What follows from it?",
    ],
    turn_tokens: Some(128),
};

#[cfg(test)]
mod tests {
    #[test]
    fn plan_matches_snapshot() {
        insta::assert_snapshot!(crate::planning::summary::of(&super::SPEC));
    }
}
