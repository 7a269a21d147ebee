//! Judges whether the token counts match the plan and agree with each other.

use record::{Counters, Observation, PrefixReuse, TokenSource, Trial, Usage};

use super::{Reason, Validity};
use crate::{
    metrics::{TrialMetrics, arrivals, server},
    number::{Unit, figure},
};

/// Largest part by which token counts may miss the plan, summed over requests without cancelling: beyond it the load is another.
pub(super) const MAX_OFF_PLAN: f64 = 0.01;

/// Largest share of prompt tokens that may come from the prefix cache, beside the chat template, where prompts share nothing: two
/// texts may begin with the same word by chance.
pub(super) const MAX_CHANCE_HITS: f64 = 0.01;

/// Endings of the names of counters of prompt tokens from the prefix cache, such as `vllm:prefix_cache_hits_total`.
const CACHE_HIT_COUNTERS: [&str; 2] = ["prefix_cache_hits_total", "prefix_cache_hits"];

/// A running count may miss the final one by this part, and by one token in any case: the end-of-sequence token shows in no chunk.
pub(super) const MAX_COUNT_DIFFERENCE: f64 = 0.01;

/// How far the best second may lie below the mean before the counts contradict each other; see [`peak_below_mean`].
pub(super) const PEAK_TOLERANCE: f64 = 0.01;

pub(super) fn judge(trial: &Trial, metrics: &TrialMetrics, template_tokens: u32, reasons: &mut Vec<Reason>) {
    let served = || {
        trial.observations.iter().filter(|observation| observation.outcome.is_complete() && observation.first_token_ns.is_some())
    };
    let unknown = served().filter(|observation| arrivals::first(observation).and(observation.output_tokens()).is_none()).count();
    if unknown > 0 {
        let text = format!("output tokens of {unknown} of {} served requests are unknown", metrics.served);
        reasons.push(Reason::invalid("output tokens are unknown", text));
    }
    judge_prompts(served(), reasons);
    if trial.cell.prefix_reuse == PrefixReuse::Forbidden && metrics.served > 0 {
        reasons.extend(cache_hits(trial, template_tokens, served()));
    }
    judge_outputs(served(), reasons);
    judge_counts(served(), metrics.served, reasons);
    reasons.extend(peak_below_mean(trial, metrics).map(|text| Reason::invalid("token counts contradict each other", text)));
}

fn judge_prompts<'o>(served: impl Iterator<Item = &'o Observation>, reasons: &mut Vec<Reason>) {
    let (mut off_plan, mut silent) = (PlanDeviation::default(), 0);
    for observation in served {
        match observation.usage {
            Some(usage) => off_plan.add(observation.planned_prompt_tokens, usage.prompt_tokens),
            None => silent += 1,
        }
    }
    if silent > 0 {
        let text = format!("prompt tokens of {silent} served requests are unknown");
        reasons.push(Reason::suspect("prompt tokens are unknown", text));
    }
    reasons.extend(off_plan.reason(Validity::Suspect, "prompt tokens", ""));
}

/// Judges cache hits of prompts that share nothing. Hits are read from the usage of the answers, or from the server's counters where they are larger:
/// counters include failed requests.
fn cache_hits<'o>(trial: &Trial, template_tokens: u32, served: impl Iterator<Item = &'o Observation>) -> Option<Reason> {
    let (mut is_reported, mut hits, mut prompts, mut templates) = (false, 0_u64, 0_u64, 0_u64);
    for observation in served {
        let usage = observation.usage.unwrap_or(Usage { prompt_tokens: observation.planned_prompt_tokens, ..Usage::default() });
        is_reported |= usage.cached_tokens.is_some();
        hits += u64::from(usage.cached_tokens.unwrap_or(0).saturating_sub(template_tokens));
        prompts += u64::from(usage.prompt_tokens);
        templates += u64::from(template_tokens);
    }
    // The dialect knows its counter's name; the ending of a name is for records of before it did.
    let counted = trial.server.as_ref().and_then(server::prefix_hits).or_else(|| trial.counters.as_ref().and_then(counted_hits));
    let (hits, source) = match counted.map(|counted| (counted - templates as f64).max(0.0)) {
        Some(counted) if !is_reported || counted > hits as f64 => (counted, ", by the server's counters"),
        _ if is_reported => (hits as f64, ""),
        _ => {
            let text = "the server does not say whether prompts came from its cache";
            return Some(Reason::note(text, text));
        }
    };
    let share = hits / prompts.max(1) as f64;
    let text = || {
        let share = figure(share, Unit::Share);
        format!("{share} of the prompt tokens came from the prefix cache, where prompts share nothing{source}")
    };
    let kind = "prompt tokens came from the prefix cache, where prompts share nothing";
    (share > MAX_CHANCE_HITS).then(|| Reason::suspect(kind, text()).with_extent(share, Unit::Share))
}

/// Prompt tokens from the prefix cache during the trial. A server may have the same counter under an old name too: the largest counts.
fn counted_hits(counters: &Counters) -> Option<f64> {
    let counts_hits = |name: &str| CACHE_HIT_COUNTERS.iter().any(|end| name.ends_with(end));
    let named = counters.after.iter().filter(|(name, _)| counts_hits(name));
    named.map(|(name, after)| after - counters.before.get(name).copied().unwrap_or(0.0)).reduce(f64::max)
}

fn judge_outputs<'o>(served: impl Iterator<Item = &'o Observation>, reasons: &mut Vec<Reason>) {
    let (mut forced, mut free) = (PlanDeviation::default(), PlanDeviation::default());
    let (mut forced_requests, mut stopped_early) = (0, 0);
    for observation in served {
        let Some(tokens) = observation.output_tokens() else { continue };
        let planned = observation.planned_output_tokens;
        if observation.forced_length {
            forced_requests += 1;
            stopped_early += u32::from(tokens < planned && observation.finish_reason.as_deref() == Some("stop"));
            forced.add(planned, tokens);
        } else {
            free.add(planned, tokens);
        }
    }
    reasons.extend(forced.reason(Validity::Invalid, "output tokens", ", though the length was forced"));
    if stopped_early > 0 {
        let text = format!("{stopped_early} of {forced_requests} answers of a forced length stopped early");
        reasons.push(Reason::suspect("answers of a forced length stopped early", text));
    }
    reasons.extend(free.reason(Validity::Suspect, "output tokens", "; the length could not be forced"));
}

/// The server's running count against its final one.
fn judge_counts<'o>(served: impl Iterator<Item = &'o Observation>, of: u32, reasons: &mut Vec<Reason>) {
    let disagree = served.filter(|observation| observation.token_source == TokenSource::Running).filter(|observation| {
        let Some((usage, last)) = observation.usage.zip(observation.chunks.last()) else { return false };
        let difference = usage.completion_tokens.abs_diff(last.tokens);
        f64::from(difference) > (f64::from(usage.completion_tokens) * MAX_COUNT_DIFFERENCE).max(1.0)
    });
    let disagree = disagree.count();
    if disagree > 0 {
        let text = format!("the running and the final token count disagree in {disagree} of {of} served requests");
        reasons.push(Reason::suspect("the running and the final token count disagree", text));
    }
}

/// `n` seconds hold the whole trial, so the best of them holds at least an `n`th of its tokens. A peak below that means that the
/// tokens of the chunks are not those of the total: chunks were counted as tokens, for instance.
fn peak_below_mean(trial: &Trial, metrics: &TrialMetrics) -> Option<String> {
    let (peak, mean) = (metrics.peak_tok_s?, metrics.output_tok_s?);
    let seconds = trial.duration_ns as f64 / 1e9;
    let least = mean * seconds / seconds.ceil();
    let text = || format!("peak {} tok/s is below the mean {} tok/s", figure(peak, Unit::Plain), figure(mean, Unit::Plain));
    (peak < least * (1.0 - PEAK_TOLERANCE)).then(text)
}

/// Tokens against the plan.
#[derive(Default)]
struct PlanDeviation {
    planned: u64,
    actual: u64,
    off: u64,
}

impl PlanDeviation {
    fn add(&mut self, planned: u32, actual: u32) {
        self.planned += u64::from(planned);
        self.actual += u64::from(actual);
        self.off += u64::from(planned.abs_diff(actual));
    }

    fn reason(&self, validity: Validity, what: &str, more: &str) -> Option<Reason> {
        let share = self.off as f64 / self.planned.max(1) as f64;
        let text = || {
            let off = figure(share, Unit::Share);
            format!("{what} are off the plan by {off} ({} of {} planned){more}", self.actual, self.planned)
        };
        let kind = || format!("{what} are off the plan{more}");
        (share > MAX_OFF_PLAN).then(|| Reason::new(validity, kind(), text()).with_extent(share, Unit::Share))
    }
}
