//! Speculative decoding: several tokens are guessed cheaply, and one step of the model checks them together.

use serde::{Deserialize, Serialize};

use crate::chance::{Chance, between};

/// What guesses tokens, and how well: a small model, or one head more of the large one.
///
/// A step gives a sequence its next token and, before that, the guesses up to the first wrong one. With guesses that are right with
/// probability `a`, independently, `k` of them make a step yield `(1 - a^(k+1)) / (1 - a)` tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speculative {
    /// Tokens guessed per sequence and step.
    pub draft_tokens: u32,
    /// How likely a guess is right behind others that are, in parts per million.
    pub acceptance_ppm: u32,
    /// What guessing adds to a step that decodes, in nanoseconds.
    #[serde(default)]
    pub draft_ns: u64,
}

/// Trees of guesses have some dozens of tokens at most.
const MAX_DRAFT_TOKENS: u32 = 64;

/// As in [`Params::check`](super::Params::check): 1000 s.
const MAX_DRAFT_NS: u64 = 1_000_000_000_000;

impl Speculative {
    /// Why these settings are refused, if they are.
    pub(super) fn problem(self) -> Option<&'static str> {
        if !(1..=MAX_DRAFT_TOKENS).contains(&self.draft_tokens) {
            return Some("speculative.draft_tokens must be from 1 to 64");
        }
        if self.acceptance_ppm > 1_000_000 {
            return Some("speculative.acceptance_ppm must be at most 1000000");
        }
        (self.draft_ns > MAX_DRAFT_NS).then_some("a cost is too large to be simulated")
    }

    /// How many guesses of a step are right before the first wrong one.
    pub(super) fn accepted(self, chance: &mut Chance) -> u32 {
        let right = (0..self.draft_tokens).take_while(|_| between(chance.word(), 0, 999_999) < self.acceptance_ppm);
        u32::try_from(right.count()).unwrap_or(self.draft_tokens)
    }
}
