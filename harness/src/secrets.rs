//! Values that must reach nothing that is kept or shown.

use std::{fmt, rc::Rc};

/// Shorter values are not looked for: they would take half of a text with them.
const CHARS_MIN: usize = 8;

/// Values of secrets, which show themselves nowhere.
#[derive(Clone, Default)]
pub struct Secrets(Rc<[String]>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// Takes the values.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<_> = values.into_iter().filter(|value| value.len() >= CHARS_MIN).collect();
        // The longest first: one may be the beginning of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values.into())
    }

    /// A text without them.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_loses_them_all_and_they_do_not_show() {
        let secrets = Secrets::new(["hf_abcdefgh", "hf_abcdefgh_longer", "short"].map(str::to_owned));
        assert_eq!(secrets.redact("short hf_abcdefgh_longer, hf_abcdefgh!"), "short [redacted], [redacted]!");
        assert_eq!(format!("{secrets:?}"), "Secrets(2)");
        assert_eq!(Secrets::default().redact("as it is"), "as it is");
    }
}
