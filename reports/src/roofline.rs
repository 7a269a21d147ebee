//! How close a trial came to the limits of its machine, where machine and model are described: MBU and MFU under the roofline.
//!
//! Both are shares of a limit, computed from the least that a trial must have moved or computed and the most time that it had for that. So they are
//! lower bounds. A share above 1 means either that less was moved or computed than should have been, or that the description does not match the model
//! that ran. The sure share, which relies on described sizes only, separates the two cases.
//!
//! The roofline is that of Williams, Waterman and Patterson, *Roofline* (2009); MBU, the model's bandwidth utilisation, is by Agarwal and
//! others, *LLM Inference Performance Engineering: Best Practices* (Databricks, 2023); MFU, the model's FLOP/s utilisation, is by
//! Chowdhery and others, *`PaLM`: Scaling Language Modeling with Pathways* (2022).

use record::{Boot, Header, Observation, PrefixReuse, Trial};
use serde::Serialize;
use twin::description::{Machine, Model, Precision};

use self::{
    lookup::DescribedSetup,
    spans::{Overlap, union_ns},
    steps::Steps,
};
use crate::metrics::{ServerAccount, per_second, request::uncached_prompt_tokens};

mod lookup;
mod spans;
mod steps;

#[cfg(test)]
mod tests;

/// The described model of a run on a described machine; not all of its weights need be stored as described.
pub(crate) fn model(header: &Header, boots: &[Boot]) -> Option<Model> {
    lookup::find(header, boots).map(|known| known.model)
}

/// The limits of one machine for one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Roofline {
    pub machine: Machine,
    pub model: Model,
    /// Fewest bytes of keys and values per token of context.
    least_cache_bytes: f64,
}

/// How close a trial came to the limits of memory and arithmetic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Distance {
    /// Decode: share of the memory bandwidth (MBU).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decode: Option<Utilisation>,
    /// Prefill: share of the peak operations (MFU).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Utilisation>,
}

/// A rate and its share of the limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Utilisation {
    /// Tokens per second of all streams together, over the time in which any stream was in this phase.
    pub tok_s: f64,
    /// MBU or MFU: 1 is the limit of the machine for the model as it is described.
    pub share: f64,
    /// The share under the most favourable assumptions about what a description cannot know: the tokens of a step choose the same experts, all
    /// weights are as narrow as most of them, and the engine computes in the machine's narrowest precision. No engine can exceed 1.
    pub sure_share: f64,
}

impl Utilisation {
    /// The most tokens per second that the limit leaves to the same work.
    #[must_use]
    pub fn ceiling_tok_s(&self) -> f64 {
        self.tok_s / self.share
    }
}

impl Distance {
    /// Whether neither share is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Roofline {
    /// The limits of a run on one machine; none where its machine or model is not described, or the model's quantisation is unknown.
    #[must_use]
    pub fn of(header: &Header, boots: &[Boot]) -> Option<Self> {
        let DescribedSetup { machine, model, cache_numbers_bytes, .. } =
            lookup::find(header, boots).filter(|known| known.is_whole)?;
        let numbers = model.cache_bytes_per_token() / f64::from(model.attention.cache_bytes.max(1));
        Some(Self { machine, model, least_cache_bytes: numbers * cache_numbers_bytes })
    }

    /// How close a trial came to the limits. `account` is the server's account of the trial.
    #[must_use]
    pub fn distance(&self, trial: &Trial, account: Option<&ServerAccount>) -> Distance {
        let tokens_per_step = account.and_then(|account| account.tokens_per_step).unwrap_or(1.0);
        Distance { decode: self.decode(trial, tokens_per_step), prefill: self.prefill(trial) }
    }

    /// Memory bandwidth of the machine, in bytes per second.
    #[must_use]
    pub fn bandwidth(&self) -> f64 {
        self.machine.bandwidth_gb_s * 1e9
    }

    /// Peak operations per second of the machine in the model's precision.
    #[must_use]
    pub fn flops(&self) -> f64 {
        self.machine.flops(self.model.computes_in)
    }

    /// Fewest bytes of weights that a step reads: the weights for a single token, all as narrow as most of them. Engines may narrow the rest too; a
    /// fork of vLLM does so with gpt-oss (`--mxfp4-layers`) and decodes faster than its published weights allow.
    fn sure_weight_bytes(&self) -> f64 {
        let narrowed = self.model.active_parameters_b * 1e9 * lookup::stored_bits(&self.model) / 8.0;
        self.model.weight_bytes_read(1.0).min(narrowed)
    }

    /// How much faster the machine computes in its narrowest precision. A record does not say in which precision an engine computes.
    fn narrowest_speedup(&self) -> f64 {
        [Precision::Fp4, Precision::Fp8]
            .map(|precision| self.machine.flops(precision) / self.flops())
            .into_iter()
            .fold(1.0, f64::max)
    }

    /// MBU: `bytes / (time * bandwidth)`. The time is that in which any request was between its first token and its last. The bytes are the
    /// sum over the steps of every request of
    ///
    /// `weights(B) / B + (prompt + tokens so far) * cache + state`
    ///
    /// where `B` is the most requests that were between their tokens at once while that one was. A step of fewer reads at least as many
    /// bytes of weights for each of them, since those that `n` tokens need grow slower than `n`. How much slower they do in a mixture of
    /// experts depends on the text, and the description is a fit; the sure share takes it that all tokens need what one does.
    ///
    /// Prompt tokens that were in a cache do not count: several requests may share them, and a kernel that knows reads them once.
    fn decode(&self, trial: &Trial, tokens_per_step: f64) -> Option<Utilisation> {
        let all: Vec<(u64, u64)> = trial.observations.iter().filter_map(decode_span).collect();
        let overlap = Overlap::of(&all);
        let (mut spans, mut bytes, mut sure_bytes, mut tokens, mut steps) = (Vec::new(), 0.0, 0.0, 0.0, 0.0);
        for observation in &trial.observations {
            let (Some((from_ns, to_ns)), Some(of)) = (decode_span(observation), Steps::of(observation)) else { continue };
            let prompt = uncached_prompt_tokens(observation, trial.cell.prefix_reuse).unwrap_or(0);
            let context = of.context + of.count * f64::from(prompt);
            let sequences = f64::from(overlap.peak_within(from_ns, to_ns).max(1));
            // State counts half: engines hold it in two bytes or in four.
            let own = of.count * self.model.state_mb_per_sequence * 1e6 + context * self.least_cache_bytes;
            bytes += own + of.count * self.model.weight_bytes_read(sequences) / sequences;
            sure_bytes += own + of.count * self.sure_weight_bytes() / sequences;
            steps += of.count;
            tokens += of.tokens;
            spans.push((from_ns, to_ns));
        }
        // A server that sends each accepted token of a draft by itself makes more chunks than steps.
        let drafted = if tokens_per_step > 1.0 { (tokens / (tokens_per_step * steps)).min(1.0) } else { 1.0 };
        let busy_ns = union_ns(spans) as f64;
        let share = |bytes: f64| Some(per_second(bytes * drafted, busy_ns)? / self.bandwidth());
        let utilisation =
            Utilisation { tok_s: per_second(tokens, busy_ns)?, share: share(bytes)?, sure_share: share(sure_bytes)? };
        (steps > 0.0).then_some(utilisation)
    }

    /// MFU: `operations / (time * peak)`. The time is that in which any request waited for its first token. The operations are those of the
    /// prompts, `2 * active parameters * tokens` and the attention of each token to those before it. Only where prompts share nothing: of
    /// a prompt that is cached in part, that part's attention is not known.
    fn prefill(&self, trial: &Trial) -> Option<Utilisation> {
        if trial.cell.prefix_reuse != PrefixReuse::Forbidden {
            return None;
        }
        let (mut spans, mut flops, mut tokens) = (Vec::new(), 0.0, 0.0);
        for observation in &trial.observations {
            let span = observation.send_ns.zip(observation.first_token_ns);
            let prompt = uncached_prompt_tokens(observation, trial.cell.prefix_reuse);
            let (Some(span), Some(prompt)) = (span, prompt.filter(|prompt| *prompt > 0)) else { continue };
            flops += self.model.prefill_flops(f64::from(prompt));
            tokens += f64::from(prompt);
            spans.push(span);
        }
        let busy_ns = union_ns(spans) as f64;
        let share = per_second(flops, busy_ns)? / self.flops();
        let utilisation =
            Utilisation { tok_s: per_second(tokens, busy_ns)?, share, sure_share: share / self.narrowest_speedup() };
        (tokens > 0.0).then_some(utilisation)
    }
}

/// From a request's first token to its last.
fn decode_span(observation: &Observation) -> Option<(u64, u64)> {
    observation.first_token_ns.zip(observation.last_token_ns).filter(|(first_ns, last_ns)| first_ns <= last_ns)
}
