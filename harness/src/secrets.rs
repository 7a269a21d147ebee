//! Values that must reach nothing that is kept or shown.

use std::{fmt, sync::Arc};

/// Shorter values are not looked for: they would take half of a text with them. So much of a longer one, where a text was cut or broke off,
/// is hidden too.
const CHARS_MIN: usize = 8;

/// Values of secrets, which show themselves nowhere.
#[derive(Clone, Default)]
pub struct Secrets(Arc<[String]>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// Values shorter than `CHARS_MIN` are left out: they would take ordinary words with them.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        // By lines, as logs are read.
        let lines = values.into_iter().flat_map(|value| value.lines().map(str::to_owned).collect::<Vec<_>>());
        let mut values: Vec<_> = lines.filter(|line| line.len() >= CHARS_MIN).collect();
        // The longest first: one may be the beginning of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values.into())
    }

    /// A text without them.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| replace_secret(&text, secret, "[redacted]"))
    }

    /// Whether there is none to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The longest, in bytes; 0 if there is none.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.0.first().map_or(0, String::len)
    }
}

/// A text with a mark where the secret stood, or its beginning.
pub(crate) fn replace_secret(text: &str, secret: &str, mark: &str) -> String {
    let Some((least, _)) = secret.char_indices().nth(CHARS_MIN) else {
        return if secret.is_empty() { text.to_owned() } else { text.replace(secret, mark) };
    };
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(&secret[..least]) {
        kept.push_str(&rest[..at]);
        kept.push_str(mark);
        let same = rest[at..].chars().zip(secret.chars()).take_while(|(one, other)| one == other);
        rest = &rest[at + same.map(|(character, _)| character.len_utf8()).sum::<usize>()..];
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_redacted_and_absent_from_debug_output() {
        let secrets = Secrets::new(["hf_abcdefgh", "hf_abcdefgh_longer", "short"].map(str::to_owned));
        assert_eq!(secrets.redact("short hf_abcdefgh_longer, hf_abcdefgh!"), "short [redacted], [redacted]!");
        assert_eq!(format!("{secrets:?}"), "Secrets(2)");
        assert_eq!(Secrets::default().redact("as it is"), "as it is");
    }

    #[test]
    fn secret_truncated_at_the_end_is_redacted() {
        let secrets = Secrets::new(["hf_abcdefgh\u{e9}ij".to_owned()]);
        assert_eq!(secrets.redact("a hf_abcdefgh\u{e9}"), "a [redacted]");
        assert_eq!(secrets.redact("hf_abcde (broke off) hf_abcdefgh\u{e9}ij."), "[redacted] (broke off) [redacted].");
        assert_eq!(secrets.redact("hf_abcd is too little to matter"), "hf_abcd is too little to matter");
        assert_eq!(
            (replace_secret("a key", "key", "[key]"), replace_secret("a", "", "[key]")),
            ("a [key]".to_owned(), "a".to_owned())
        );
    }
}
