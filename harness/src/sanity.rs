//! The output sanity check: a broken kernel is fast, so its text is looked at before anything is timed.

use record::{Observation, Outcome};

use crate::{
    clock::Clock,
    endpoint::Endpoint,
    engine::{
        EngineError,
        readiness::{probe_request, send_probe, user_message},
    },
};

/// Two prompts that no sound model answers alike.
const PROMPTS: [&str; 2] = ["Name three rivers and the seas they flow into.", "How is bread made? Answer step by step."];
const OUTPUT_TOKENS: u32 = 24;
const LIMIT_NS: u64 = 120_000_000_000;

/// Asks both questions and judges the answers. Returns what was seen, in words.
pub async fn check<E: Endpoint, C: Clock>(endpoint: &E, clock: &C) -> Result<String, EngineError> {
    let mut texts = Vec::new();
    for prompt in PROMPTS {
        let answer = send_probe(endpoint, clock, &probe_request(vec![user_message(prompt)], OUTPUT_TOKENS), LIMIT_NS).await;
        texts.push(text_of(answer)?);
    }
    check_text(&texts).map_err(|why| EngineError::SanityCheckFailed { why })
}

fn text_of(answer: Observation) -> Result<String, EngineError> {
    match answer.outcome {
        Outcome::Complete => Ok(answer.text.unwrap_or_default()),
        other => {
            Err(EngineError::SanityCheckFailed { why: format!("a {OUTPUT_TOKENS}-token answer did not complete: {other:?}") })
        }
    }
}

/// Judges answers to different prompts. The signs are those of broken kernels: one character again and again, no text, undecodable
/// bytes, the same answer to everything. Whether the text is true or even sensible is not asked: a random model is sane.
fn check_text(texts: &[String]) -> Result<String, String> {
    for text in texts {
        let characters: Vec<char> = text.chars().filter(|character| !character.is_whitespace()).collect();
        let Some(&first) = characters.first() else {
            return Err("an answer holds no text".to_owned());
        };
        if characters.len() >= 8 && characters.iter().all(|&character| character == first) {
            return Err(format!("an answer is {} times the character {first:?}", characters.len()));
        }
        let undecodable = characters.iter().filter(|&&character| character == '\u{fffd}').count();
        if undecodable * 2 > characters.len() {
            return Err(format!("{undecodable} of {} characters of an answer cannot be decoded", characters.len()));
        }
    }
    if texts.windows(2).all(|pair| pair[0] == pair[1]) {
        return Err("different prompts got the same answer".to_owned());
    }
    Ok(format!("{} prompts, {} different answers, all of text", texts.len(), texts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbled_output_fails_sanity_check() {
        let check = |texts: [&str; 2], expected: Result<(), &str>| {
            let judged = check_text(&texts.map(str::to_owned));
            match expected {
                Ok(()) => assert!(judged.is_ok(), "{judged:?}"),
                Err(part) => assert!(judged.as_ref().is_err_and(|why| why.contains(part)), "{judged:?}"),
            }
        };
        check(["The Rhine, the North Sea", "Mix flour and water"], Ok(()));
        check(["titletain unless", "kwds \u{fffd} self"], Ok(()));
        check(["!!!!!!!!!!!!", "Mix flour"], Err("12 times the character '!'"));
        check(["", "Mix flour"], Err("no text"));
        check(["Mix flour", " \n"], Err("no text"));
        check(["\u{fffd}\u{fffd}\u{fffd}a", "Mix flour"], Err("cannot be decoded"));
        check(["the same", "the same"], Err("the same answer"));
    }
}
