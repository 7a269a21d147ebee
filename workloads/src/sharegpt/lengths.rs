//! Where `sharegpt`'s lengths come from, and the rule that both sources keep.
//!
//! The rule is the one of `vllm bench serve`: prompts and outputs of at least 4 tokens, prompts of at most 1024, both together at most
//! 2048.
//!
//! Without a file, a pair of lengths is drawn from two independent lognormal distributions, kept by the same rule. Their means, after
//! the rule, are those of a published run of this test: gpt-oss-20b in the DGX Spark arena (djangodevreng.nl, CC-BY-4.0),
//! `08-sharegpt`, 250 requests, 69630 prompt and 45680 output tokens: 279 and 183 per request. The server counted its chat template
//! in the 69630; runs of models with short templates count 57229 for the same prompts (Qwen3.6-35B-A3B), so the text itself has 229
//! per prompt, and gpt-oss's template brings it to 279. The spreads are ours: 1.05 for outputs fits that run's end-to-end percentiles
//! over its TPOT (median near 105 tokens, 90th percentile near 430); for prompts, which no published figure tells, 1.4.

use record::Length;

use crate::rng::Rng;

#[cfg(test)]
mod tests;

/// Fewest tokens of a prompt, and of an output.
pub const LEAST_TOKENS: u32 = 4;
pub const MOST_PROMPT_TOKENS: u32 = 1024;
/// Most tokens of a prompt and its output together.
pub const MOST_TOKENS: u32 = 2048;

/// Mean text of a prompt drawn by the rule, in tokens.
pub const MEAN_PROMPT_TOKENS: f64 = 228.9;
/// Mean output drawn by the rule, in tokens.
pub const MEAN_OUTPUT_TOKENS: f64 = 182.7;

/// Mean and standard deviation of the logarithm of the length in tokens, solved for the means above.
const PROMPT: (f64, f64) = (5.140_992, 1.4);
const OUTPUT: (f64, f64) = (4.709_553, 1.05);

/// The lengths of one recorded question and its answer, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedPair {
    pub prompt_tokens: u32,
    pub output_tokens: u32,
}

impl RecordedPair {
    /// Whether the rule keeps it.
    #[must_use]
    pub fn is_kept(self) -> bool {
        let Self { prompt_tokens, output_tokens } = self;
        let shortest = prompt_tokens.min(output_tokens);
        let together = prompt_tokens.saturating_add(output_tokens);
        shortest >= LEAST_TOKENS && prompt_tokens <= MOST_PROMPT_TOKENS && together <= MOST_TOKENS
    }
}

/// Where `sharegpt`'s lengths come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedLengths {
    /// From the documented distribution.
    Drawn,
    File {
        /// The file's SHA-256.
        sha256: String,
        /// The conversations that the rule keeps, in the file's order.
        conversations: Vec<RecordedPair>,
    },
}

impl RecordedLengths {
    /// One line for the record, and part of the workload's identity: another source asks for other lengths.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Drawn => format!(
                "drawn: independent lognormal, log mean {} and sd {} (prompt), {} and {} (output)",
                PROMPT.0, PROMPT.1, OUTPUT.0, OUTPUT.1
            ),
            Self::File { sha256, conversations } => {
                let kept = conversations.len();
                format!("file: {kept} conversations kept of a file with SHA-256 {sha256}, lengths counted as words x 4/3")
            }
        }
    }

    /// Draws pairs, with replacement from a file; those longer than `prompt` or `output` allow are left out. `None` if a file has no
    /// conversation that is short enough.
    pub(crate) fn draw(&self, prompt: Length, output: Length, requests: u32, rng: &mut Rng) -> Option<Vec<RecordedPair>> {
        let fits = |pair: &RecordedPair| pair.prompt_tokens <= prompt.high() && pair.output_tokens <= output.high();
        match self {
            Self::Drawn => {
                let mut draw = || loop {
                    let pair = RecordedPair { prompt_tokens: lognormal(PROMPT, rng), output_tokens: lognormal(OUTPUT, rng) };
                    if pair.is_kept() && fits(&pair) {
                        return pair;
                    }
                };
                Some((0..requests).map(|_| draw()).collect())
            }
            Self::File { conversations, .. } => {
                let short: Vec<_> = conversations.iter().copied().filter(fits).collect();
                (!short.is_empty()).then(|| (0..requests).map(|_| *rng.pick(&short)).collect())
            }
        }
    }
}

/// A lognormal number, as the nearest whole number of tokens.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive; a cast above 2^32 stays at the end of the range"
)]
fn lognormal((mean, sd): (f64, f64), rng: &mut Rng) -> u32 {
    libm::round(libm::exp(mean + sd * rng.normal())) as u32
}
