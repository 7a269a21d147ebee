//! Sizing of prompts: with the model's tokenizer when given, else the engine's tokenize endpoint, else by the usage that comes back.
//!
//! Whatever counted the text, two probes then go through the real endpoint, and the usage that comes back says what the chat
//! template adds and how far the count is off. A tokenizer that is not the model's shows there and is refused.

use record::{Message, Role, Sizing, SizingSource};

use crate::{
    clock::Clock,
    endpoint::Endpoint,
    engine::{
        EngineError,
        readiness::{probe_request, send_probe},
    },
    suite::{Probe, Suite},
};

mod tokenizer_file;

pub use tokenizer_file::TokenizerFile;

/// Long enough for a prompt in any tokenizer, with its instruction.
const SHORT_TOKENS: u32 = 160;
const LONG_TOKENS: u32 = 1024;
const LIMIT_NS: u64 = 120_000_000_000;
/// A given tokenizer may be off by this much before it counts as another model's.
const MAX_SCALE_ERROR: f64 = 0.02;

/// Units are counted behind a line break and without its own tokens: some tokenizers put a space before, others a token that begins
/// every text, and neither belongs to a unit in the middle of a prompt.
const FRAME: &str = "\n";

/// The sizing of prompts that was measured in one boot.
#[derive(Debug, Clone)]
pub struct SizedBoot {
    /// Tokens of each of the suite's units; none where only the usage calibrates.
    pub counts: Option<Vec<u32>>,
    /// Tokens of the template, the scale, and the source of both.
    pub sizing: Sizing,
    /// Whether the server reports usage. If not, answers are counted with the tokenizer.
    pub usage: bool,
}

/// Measures how prompts are sized for the engine that has just become ready. `max_context` keeps the long probe within bounds.
pub async fn size<E: Endpoint, C: Clock>(
    endpoint: &E,
    clock: &C,
    suite: &dyn Suite,
    tokenizer: Option<&TokenizerFile>,
    max_context: Option<u32>,
) -> Result<SizedBoot, EngineError> {
    let framed: Vec<String> =
        std::iter::once("").chain(suite.units().iter().copied()).map(|unit| format!("{FRAME}{unit}")).collect();
    let framed: Vec<&str> = framed.iter().map(String::as_str).collect();
    let (counts, source) = match tokenizer {
        Some(file) => (Some(without_frame(&file.count(&framed)?)), SizingSource::Tokenizer { sha256: file.sha256().to_owned() }),
        None => match endpoint.count_tokens(&framed).await? {
            Some(counts) => (Some(without_frame(&counts)), SizingSource::Endpoint),
            None => (None, SizingSource::Calibrated),
        },
    };
    let long_tokens = max_context.map_or(LONG_TOKENS, |context| LONG_TOKENS.min(context / 2));
    let mut sizing = Sizing { source, template_tokens: 0, message_tokens: 0, scale: 1.0 };
    let probes = probe_all(endpoint, clock, suite, counts.as_deref(), long_tokens).await?;
    let Some(probes) = probes else {
        if sizing.source == SizingSource::Calibrated {
            let why =
                "the server reports no usage and has no tokenize endpoint: give the model's tokenizer.json with --tokenizer";
            return Err(EngineError::Sizing { why: why.to_owned() });
        }
        return Ok(SizedBoot { counts, sizing, usage: false });
    };
    fit_sizing(&probes, &mut sizing)?;
    Ok(SizedBoot { counts, sizing, usage: true })
}

/// Counts of units from counts of `FRAME` alone, then of each unit behind it.
fn without_frame(counts: &[u32]) -> Vec<u32> {
    let Some((frame, units)) = counts.split_first() else { return Vec::new() };
    units.iter().map(|count| count.saturating_sub(*frame).max(1)).collect()
}

/// Our count and the server's, for a short prompt, a long one, and one of three messages.
struct Probes {
    short: (f64, f64),
    long: (f64, f64),
    three: (f64, f64),
}

async fn probe_all<E: Endpoint, C: Clock>(
    endpoint: &E,
    clock: &C,
    suite: &dyn Suite,
    counts: Option<&[u32]>,
    long_tokens: u32,
) -> Result<Option<Probes>, EngineError> {
    let text = |tokens: u32, seed: u64| suite.probe(counts, tokens, seed).map_err(|why| EngineError::Probe { why });
    let short = text(SHORT_TOKENS, 1)?;
    let long = text(long_tokens, 2)?;
    let mut three = vec![text(SHORT_TOKENS, 3)?, text(SHORT_TOKENS, 4)?, text(SHORT_TOKENS, 5)?];
    three[1].message.role = Role::Assistant;
    let short = usage_of(endpoint, clock, &[short]).await?;
    let long = usage_of(endpoint, clock, &[long]).await?;
    let three = usage_of(endpoint, clock, &three).await?;
    Ok(match (short, long, three) {
        (Some(short), Some(long), Some(three)) => Some(Probes { short, long, three }),
        _ => None,
    })
}

async fn usage_of<E: Endpoint, C: Clock>(endpoint: &E, clock: &C, probes: &[Probe]) -> Result<Option<(f64, f64)>, EngineError> {
    let messages: Vec<Message> = probes.iter().map(|probe| probe.message.clone()).collect();
    let own: f64 = probes.iter().map(|probe| probe.own_tokens).sum();
    let answer = send_probe(endpoint, clock, &probe_request(messages, 1), LIMIT_NS).await;
    if !answer.outcome.is_complete() {
        return Err(EngineError::Sizing {
            why: format!("a probe of about {own:.0} tokens did not complete: {:?}", answer.outcome),
        });
    }
    Ok(answer.usage.map(|usage| (own, f64::from(usage.prompt_tokens))))
}

/// The server's count is a line in ours: its slope is the scale, its start what the template adds.
fn fit_sizing(probes: &Probes, sizing: &mut Sizing) -> Result<(), EngineError> {
    let (short, long, three) = (probes.short, probes.long, probes.three);
    let raw_scale = (long.1 - short.1) / (long.0 - short.0);
    if !raw_scale.is_finite() || raw_scale <= 0.0 {
        return Err(EngineError::Sizing {
            why: format!("the server counts {} and {} tokens for a short and a long prompt", short.1, long.1),
        });
    }
    // Three decimals, so that a token's rounding in a probe does not change the plan from boot to boot.
    sizing.scale = (raw_scale * 1000.0).round() / 1000.0;
    if matches!(sizing.source, SizingSource::Tokenizer { .. }) && (sizing.scale - 1.0).abs() > MAX_SCALE_ERROR {
        let why = format!("the tokenizer is not this model's: the server counts {raw_scale:.3} tokens for each of its tokens");
        return Err(EngineError::Sizing { why });
    }
    sizing.template_tokens = round_tokens(short.1 - sizing.scale * short.0);
    sizing.message_tokens = round_tokens((three.1 - f64::from(sizing.template_tokens) - sizing.scale * three.0) / 2.0);
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a small range first")]
fn round_tokens(tokens: f64) -> u32 {
    tokens.round().clamp(0.0, 100_000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_determine_template_tokens_and_scale() {
        let check = |probes: Probes, source: SizingSource, expected: Option<(u32, u32, f64)>| {
            let mut sizing = Sizing { source, template_tokens: 0, message_tokens: 0, scale: 1.0 };
            let fitted =
                fit_sizing(&probes, &mut sizing).ok().map(|()| (sizing.template_tokens, sizing.message_tokens, sizing.scale));
            assert_eq!(fitted, expected);
        };
        let tokenizer = || SizingSource::Tokenizer { sha256: String::new() };
        let exact = || Probes { short: (48.0, 60.0), long: (1024.0, 1036.0), three: (144.0, 164.0) };
        check(exact(), tokenizer(), Some((12, 4, 1.0)));
        // The same texts counted in units of four bytes: the scale takes up the difference.
        let by_length = Probes { short: (40.0, 62.0), long: (840.0, 1062.0), three: (120.0, 172.0) };
        check(by_length, SizingSource::Calibrated, Some((12, 5, 1.25)));
        // Another model's tokenizer.
        check(Probes { short: (40.0, 62.0), long: (840.0, 1062.0), three: (120.0, 172.0) }, tokenizer(), None);
        // A server that always says the same.
        check(Probes { short: (48.0, 7.0), long: (1024.0, 7.0), three: (144.0, 7.0) }, SizingSource::Endpoint, None);
    }
}
