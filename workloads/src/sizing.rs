//! How long a prompt is in tokens: a table of tokens per unit, and what the chat template adds.

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::corpus;

#[cfg(test)]
mod tests;

/// Thousandths of a token: a table by bytes gives fractions, and sums of whole numbers are the same on every machine.
pub(crate) type MilliTokens = u64;

/// Tokens of each of [`corpus::units`], in that order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenTable {
    milli: Vec<u32>,
}

/// A table that cannot size anything.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum TableError {
    /// It does not line up with the units.
    #[error("{given} token counts for {units} units of the corpus")]
    WrongLength { given: usize, units: usize },
    /// A unit without tokens, or with absurdly many.
    #[error("the unit {unit:?} has {tokens} tokens; a tokenizer that skips or explodes words cannot size prompts")]
    WrongCount { unit: &'static str, tokens: u32 },
    /// Not a number of bytes.
    #[error("{bytes_per_token} bytes per token; between 0.1 and 100 is possible")]
    WrongRatio { bytes_per_token: f64 },
}

impl TokenTable {
    /// From a tokenizer's count for each unit of [`corpus::units`]. A unit is counted as it stands within a text: a tokenizer that puts a
    /// space or a special token before every text must be asked without that.
    pub fn from_counts(counts: &[u32]) -> Result<Self, TableError> {
        let units = corpus::units();
        if counts.len() != units.len() {
            return Err(TableError::WrongLength { given: counts.len(), units: units.len() });
        }
        if let Some((&tokens, unit)) = counts.iter().zip(units).find(|&(&tokens, _)| tokens == 0 || tokens > 1000) {
            return Err(TableError::WrongCount { unit, tokens });
        }
        Ok(Self { milli: counts.iter().map(|tokens| tokens * 1000).collect() })
    }

    /// By length alone, for an engine whose tokenizer is unknown: `bytes_per_token` is the ratio that probes gave.
    pub fn uniform(bytes_per_token: f64) -> Result<Self, TableError> {
        if !(0.1..=100.0).contains(&bytes_per_token) {
            return Err(TableError::WrongRatio { bytes_per_token });
        }
        let milli = corpus::units().iter().map(|unit| round(unit.len() as f64 * 1000.0 / bytes_per_token));
        Ok(Self { milli: milli.map(|milli| u32::try_from(milli).unwrap_or(u32::MAX)).collect() })
    }

    /// SHA-256 of the table, 16 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        let bytes: Vec<u8> = self.milli.iter().flat_map(|milli| milli.to_le_bytes()).collect();
        corpus::hex(&Sha256::digest(bytes)[..8])
    }

    pub(crate) fn milli(&self, unit: corpus::grammar::UnitId) -> MilliTokens {
        MilliTokens::from(self.milli[usize::from(unit)])
    }
}

/// All that is needed to size a prompt for one model on one engine.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptSizing {
    /// Tokens of each unit.
    pub table: TokenTable,
    /// Tokens that the chat template adds to a prompt of one message.
    pub template_tokens: u32,
    /// Tokens that it adds for each further message.
    pub message_tokens: u32,
    /// The server's count of a long text over the table's; 1 if the table is the model's own tokenizer's.
    pub scale: f64,
}

impl PromptSizing {
    /// Tokens that the server should count: `template_tokens + message_tokens * (messages - 1) + round(text * scale)`.
    pub(crate) fn planned_tokens(&self, text: MilliTokens, messages: u32) -> u32 {
        let text_tokens = round(text as f64 / 1000.0 * self.scale);
        let tokens = u64::from(self.overhead_tokens(messages)) + text_tokens;
        u32::try_from(tokens).unwrap_or(u32::MAX)
    }

    /// The text to aim at for this many tokens; `None` if the template alone takes them all.
    pub(crate) fn text_for(&self, tokens: u32, messages: u32) -> Option<MilliTokens> {
        let text_tokens = tokens.checked_sub(self.overhead_tokens(messages)).filter(|&tokens| tokens > 0)?;
        Some(self.bare_text_for(text_tokens))
    }

    /// The text that alone has this many tokens.
    pub(crate) fn bare_text_for(&self, tokens: u32) -> MilliTokens {
        round(f64::from(tokens) * 1000.0 / self.scale)
    }

    fn overhead_tokens(&self, messages: u32) -> u32 {
        self.template_tokens.saturating_add(self.message_tokens.saturating_mul(messages.saturating_sub(1)))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of tokens, positive and far below 2^53")]
fn round(count: f64) -> u64 {
    libm::round(count) as u64
}
