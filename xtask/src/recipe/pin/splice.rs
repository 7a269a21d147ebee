//! Values written into a recipe's text by position, so that its comments and its layout stay a person's own.

use std::{fmt, ops::Range};

use record::Recipe;
use serde::Deserialize;
use toml::Spanned;

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pins {
    /// The image's digest.
    pub(super) digest: Option<String>,
    /// The model's commit.
    pub(super) revision: Option<String>,
}

impl Pins {
    /// The recipe as it is meant to become.
    pub(super) fn applied_to(&self, recipe: &Recipe) -> Recipe {
        let mut recipe = recipe.clone();
        if let (Some(container), Some(digest)) = (&mut recipe.container, &self.digest) {
            container.digest = Some(digest.clone());
        }
        if let Some(revision) = &self.revision {
            recipe.model.revision.clone_from(revision);
        }
        recipe
    }
}

impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(digest) = &self.digest {
            writeln!(f, "    [container] digest = \"{digest}\"")?;
        }
        self.revision.as_ref().map_or(Ok(()), |revision| writeln!(f, "    [model] revision = \"{revision}\""))
    }
}

/// Where the values stand.
#[derive(Deserialize)]
struct Layout {
    model: Model,
    container: Option<Container>,
}

#[derive(Deserialize)]
struct Model {
    id: Spanned<String>,
    source: Option<Spanned<String>>,
    revision: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct Container {
    image: Spanned<String>,
    digest: Option<Spanned<String>>,
}

/// The text with the values written in: over the old one, else after the key that a reader looks for them behind.
pub(super) fn splice(text: &str, pins: &Pins) -> Result<String, String> {
    let layout: Layout = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    if let Some(digest) = &pins.digest {
        let container = layout.container.as_ref().ok_or("it has no [container]")?;
        edits.push(edit(text, "digest", digest, container.digest.as_ref(), &container.image));
    }
    if let Some(revision) = &pins.revision {
        let model = &layout.model;
        edits.push(edit(text, "revision", revision, model.revision.as_ref(), model.source.as_ref().unwrap_or(&model.id)));
    }
    // From the end, so that no edit moves what another points at.
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut text = text.to_owned();
    for (range, value) in edits {
        text.replace_range(range, &value);
    }
    Ok(text)
}

fn edit(
    text: &str,
    key: &str,
    value: &str,
    old: Option<&Spanned<String>>,
    neighbour: &Spanned<String>,
) -> (Range<usize>, String) {
    if let Some(old) = old {
        return (old.span(), format!("\"{value}\""));
    }
    let end = neighbour.span().end;
    let rest = text[end..].split('\n').next().unwrap_or_default();
    if !rest.trim().is_empty() && !rest.trim_start().starts_with('#') {
        // Something follows on the same line: an inline table.
        return (end..end, format!(", {key} = \"{value}\""));
    }
    let line_end = end + rest.len();
    let line_start = text[..neighbour.span().start].rfind('\n').map_or(0, |at| at + 1);
    let indent: String = text[line_start..].chars().take_while(|one| *one == ' ' || *one == '\t').collect();
    if line_end == text.len() {
        return (line_end..line_end, format!("\n{indent}{key} = \"{value}\"\n"));
    }
    (line_end + 1..line_end + 1, format!("{indent}{key} = \"{value}\"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins() -> Pins {
        Pins { digest: Some("D".to_owned()), revision: Some("R".to_owned()) }
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(splice(text, &pins()).unwrap(), expected);
    }

    #[test]
    fn comments_and_layout_stay() {
        check(
            "# top\n[model]\nid = 'x' # served\nrevision = 'main'  # a branch\n\n[container]\n  image = 'a:1'   # the tag\n  port = 1\n",
            "# top\n[model]\nid = 'x' # served\nrevision = \"R\"  # a branch\n\n[container]\n  image = 'a:1'   # the tag\n  digest = \"D\"\n  port = 1\n",
        );
        check(
            "[container]\nport = 1\ndigest = '''old'''\nimage = 'a:1'\n[model]\nsource = 'o/n'\nid = 'x'",
            "[container]\nport = 1\ndigest = \"D\"\nimage = 'a:1'\n[model]\nsource = 'o/n'\nrevision = \"R\"\nid = 'x'",
        );
        check(
            "[container]\nimage = 'a:1'\n[model]\nid = 'x'",
            "[container]\nimage = 'a:1'\ndigest = \"D\"\n[model]\nid = 'x'\nrevision = \"R\"\n",
        );
    }

    #[test]
    fn inline_tables_stay_inline() {
        check(
            "model = { id = 'x', source = 'o/n' }\ncontainer = { image = 'a:1', port = 1 }\n",
            "model = { id = 'x', source = 'o/n', revision = \"R\" }\ncontainer = { image = 'a:1', digest = \"D\", port = 1 }\n",
        );
    }

    #[test]
    fn lines_that_end_as_on_windows() {
        check(
            "[model]\r\nid = 'x'\r\n[container]\r\nimage = 'a:1'\r\n",
            "[model]\r\nid = 'x'\r\nrevision = \"R\"\n[container]\r\nimage = 'a:1'\r\ndigest = \"D\"\n",
        );
    }

    #[test]
    fn text_that_is_no_recipe() {
        assert!(splice("[model]\nid = 'x'\n", &pins()).unwrap_err().contains("no [container]"));
        assert!(splice("x", &pins()).is_err());
    }
}
