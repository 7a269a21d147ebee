//! A model's tokenizer file.
//!
//! What reads it takes long to build and only some runs need it, so it is behind the feature `tokenizer`. Without that none can be read, and so
//! none is ever there to count with.

use std::path::Path;

use record::{Observation, TokenSource};

use crate::engine::EngineError;

/// A tokenizer file, read once per run.
#[derive(Debug)]
pub struct TokenizerFile {
    #[cfg(feature = "tokenizer")]
    tokenizer: tokenizers::Tokenizer,
    #[cfg(not(feature = "tokenizer"))]
    never: std::convert::Infallible,
    #[cfg(feature = "tokenizer")]
    sha256: String,
}

#[cfg(feature = "tokenizer")]
impl TokenizerFile {
    /// Reads a `tokenizer.json`.
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        let error = |why: String| EngineError::Sizing { why: format!("tokenizer {}: {why}", path.display()) };
        let bytes = std::fs::read(path).map_err(|why| error(why.to_string()))?;
        let tokenizer = tokenizers::Tokenizer::from_bytes(&bytes).map_err(|why| error(why.to_string()))?;
        Ok(Self { tokenizer, sha256: sha256_hex(&bytes) })
    }

    /// Tokens of each text, special tokens not added.
    pub fn count(&self, texts: &[&str]) -> Result<Vec<u32>, EngineError> {
        let count = |text: &&str| {
            let encoding =
                self.tokenizer.encode_fast(*text, false).map_err(|why| EngineError::Sizing { why: why.to_string() })?;
            Ok(u32::try_from(encoding.len()).unwrap_or(u32::MAX))
        };
        texts.iter().map(count).collect()
    }

    /// The digest of the file.
    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }
}

#[cfg(not(feature = "tokenizer"))]
impl TokenizerFile {
    /// Says that this build reads none.
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        let why = format!("tokenizer {}: this build has no part that reads it", path.display());
        Err(EngineError::Sizing { why })
    }

    /// Counts nothing, since there is none.
    pub fn count(&self, _: &[&str]) -> Result<Vec<u32>, EngineError> {
        match self.never {}
    }

    pub(super) fn sha256(&self) -> &str {
        match self.never {}
    }
}

impl TokenizerFile {
    /// Counts the answers of a server that counts nothing itself, each chunk getting its even share. The texts are then let go.
    pub fn count_answers(&self, observations: &mut [Observation]) -> Result<(), EngineError> {
        for observation in observations {
            let Some(text) = observation.text.take() else { continue };
            if observation.token_source == TokenSource::None && !observation.chunks.is_empty() {
                let counts = self.count(&[text.as_str()])?;
                observation.chunks.share_evenly(counts.first().copied().unwrap_or(0));
                observation.token_source = TokenSource::Tokenizer;
            }
        }
        Ok(())
    }
}

#[cfg(feature = "tokenizer")]
fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[cfg(all(test, feature = "tokenizer"))]
mod tests {
    use super::*;
    use crate::engine::readiness::probe_request;

    /// One token per word.
    const BY_WORD: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}}"#;

    #[test]
    fn uncounted_answers_are_counted_with_tokenizer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, BY_WORD).unwrap();
        let tokenizer = TokenizerFile::read(&path).unwrap();
        let mut seen = Observation::unsent(&probe_request(Vec::new(), 8));
        seen.text = Some("four words in two chunks, and more".to_owned());
        seen.chunks.push(1, 0);
        seen.chunks.push(2, 0);
        let counted_by_server = Observation { token_source: TokenSource::Running, ..seen.clone() };
        let mut both = [seen, counted_by_server];
        tokenizer.count_answers(&mut both).unwrap();
        assert_eq!((both[0].token_source, both[0].output_tokens()), (TokenSource::Tokenizer, Some(8)));
        assert_eq!(both[0].chunks.iter().map(|chunk| chunk.tokens).collect::<Vec<_>>(), [4, 8]);
        assert_eq!((both[1].token_source, both[1].output_tokens()), (TokenSource::Running, Some(0)));
        assert!(both.iter().all(|seen| seen.text.is_none()), "texts stay out of records");
        assert!(TokenizerFile::read(&folder.path().join("none")).unwrap_err().to_string().contains("none"));
    }
}
