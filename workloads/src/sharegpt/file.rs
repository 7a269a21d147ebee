//! Reading a `ShareGPT` file: the lengths of its conversations' first question and first answer.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::lengths::{RecordedLengths, RecordedPair};
use crate::corpus;

#[cfg(test)]
mod tests;

/// A file that lengths cannot be taken from.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileError {
    /// Another file than the one that was asked for.
    #[error("the ShareGPT file has SHA-256 {found}, expected {expected}")]
    WrongDigest { expected: String, found: String },
    /// Not a file of conversations.
    #[error("not a ShareGPT file: {why}")]
    Unreadable { why: String },
    /// Nothing is left of it.
    #[error("none of the file's {conversations} conversations has lengths that the workload's rule keeps")]
    NothingKept {
        /// Conversations in the file.
        conversations: usize,
    },
}

#[derive(Deserialize)]
struct Conversation {
    conversations: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    from: String,
    value: String,
}

/// Reads a file `[{"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}, ...]}, ...]`.
///
/// A conversation counts with its first turn of `human` or `user`, and the first turn of `gpt` or `assistant` after that; without both
/// it does not count. Lengths are those of [`estimate_tokens`]. Only conversations that [`RecordedPair::is_kept`] are kept.
pub fn read(bytes: &[u8], expected_sha256: Option<&str>) -> Result<RecordedLengths, FileError> {
    let sha256 = corpus::hex(&Sha256::digest(bytes));
    if let Some(expected) = expected_sha256
        && !expected.eq_ignore_ascii_case(&sha256)
    {
        return Err(FileError::WrongDigest { expected: expected.to_owned(), found: sha256 });
    }
    let all: Vec<Conversation> =
        serde_json::from_slice(bytes).map_err(|error| FileError::Unreadable { why: error.to_string() })?;
    let pairs = all.iter().filter_map(|conversation| lengths(&conversation.conversations));
    let conversations: Vec<_> = pairs.filter(|pair| pair.is_kept()).collect();
    if conversations.is_empty() {
        return Err(FileError::NothingKept { conversations: all.len() });
    }
    Ok(RecordedLengths::File { sha256, conversations })
}

fn lengths(turns: &[Turn]) -> Option<RecordedPair> {
    let question = turns.iter().position(|turn| matches!(turn.from.as_str(), "human" | "user"))?;
    let answer = turns[question..].iter().find(|turn| matches!(turn.from.as_str(), "gpt" | "assistant"))?;
    Some(RecordedPair { prompt_tokens: estimate_tokens(&turns[question].value), output_tokens: estimate_tokens(&answer.value) })
}

/// Tokens of an English text, by its words: four tokens for three words, as `OpenAI`'s documentation has it. For lengths this is near
/// enough; prompts themselves are sized by [`crate::TokenTable`].
#[must_use]
pub fn estimate_tokens(text: &str) -> u32 {
    let words = text.split_whitespace().count();
    u32::try_from(words.saturating_mul(4).div_ceil(3)).unwrap_or(u32::MAX)
}
