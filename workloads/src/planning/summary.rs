//! The summary of plans that a workload's tests keep: every point's size and digest, and the first prompts of each profile's first point.

use std::fmt::Write as _;

use record::{Plan, Profile, Release};

use super::plan;
use crate::{PromptSizing, RecordedLengths, TokenTable, WorkloadSpec};

/// A sizing like a common model's: 4.2 bytes per token, a short chat template.
pub(crate) fn sizing() -> PromptSizing {
    PromptSizing { table: TokenTable::uniform(4.2).unwrap(), template_tokens: 12, message_tokens: 5, scale: 1.0 }
}

/// The plans of all of a workload's points at seed 1.
pub(crate) fn of(spec: &WorkloadSpec) -> String {
    let mut text = String::new();
    for profile in [Profile::Smoke, Profile::Full] {
        writeln!(text, "{} {profile}, hash {}", spec.name, spec.hash(profile == Profile::Smoke)).unwrap();
        let plans: Vec<_> =
            spec.cells(profile).iter().map(|cell| plan(cell, 1, &sizing(), &RecordedLengths::Drawn).unwrap()).collect();
        for plan in &plans {
            super::check(plan).unwrap();
            writeln!(text, "{}", line(plan)).unwrap();
        }
        for request in plans[0].requests.iter().take(3) {
            let prompt: String = request.messages[0].content.chars().take(80).collect();
            writeln!(text, "  {}: {} -> {} {prompt:?}", request.id, request.prompt_tokens, request.output_tokens).unwrap();
        }
    }
    text
}

fn line(plan: &Plan) -> String {
    let total = |tokens: fn(&record::PlannedRequest) -> u32| plan.requests.iter().map(tokens).sum::<u32>();
    let releases: Vec<_> = plan.requests.iter().map(|request| request.release).collect();
    let middle = releases.len() / 2;
    let release = |release: &Release| match release {
        Release::At { t_ns } => format!("{:.3} s", *t_ns as f64 / 1e9),
        Release::After { request } => format!("after {request}"),
    };
    format!(
        "{}: {} requests, {} -> {} tokens, released {}, .. {}, .. {}; {}",
        plan.cell.point,
        plan.requests.len(),
        total(|request| request.prompt_tokens),
        total(|request| request.output_tokens),
        release(&releases[0]),
        release(&releases[middle]),
        release(&releases[releases.len() - 1]),
        &plan.digest[..16],
    )
}
