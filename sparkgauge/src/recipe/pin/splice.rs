//! Values written into a recipe's text, so that its comments and its layout stay a person's own.

use std::fmt;

use record::Recipe;
use toml_edit::{DocumentMut, Item, Key, Value};

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pins {
    pub(super) digest: Option<String>,
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

/// The text with the values written in: over the old one, else after the key that a reader looks for them behind.
pub(super) fn splice(text: &str, pins: &Pins) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    if let Some(digest) = &pins.digest {
        set(document.get_mut("container").ok_or("it has no [container]")?, "digest", digest, "image")?;
    }
    if let Some(revision) = &pins.revision {
        let model = document.get_mut("model").ok_or("it has no [model]")?;
        let neighbour = if model.get("source").is_some() { "source" } else { "id" };
        set(model, "revision", revision, neighbour)?;
    }
    let text_now = document.to_string();
    // The parser reads the line ends of Windows and writes those of Unix.
    Ok(if text.contains("\r\n") { text_now.replace('\n', "\r\n") } else { text_now })
}

/// Sets a key of a table; a new one goes behind its neighbour and is indented as that is.
fn set(table: &mut Item, key: &str, value: &str, neighbour: &str) -> Result<(), String> {
    if let Some(old) = table.get_mut(key).and_then(Item::as_value_mut) {
        let decor = old.decor().clone();
        *old = Value::from(value);
        *old.decor_mut() = decor;
        return Ok(());
    }
    let keys = table.as_table_like().ok_or("a value stands where a table belongs")?;
    let mut order: Vec<String> = keys.iter().map(|(key, _)| key.to_owned()).collect();
    let at = order.iter().position(|one| one == neighbour).map_or(order.len(), |at| at + 1);
    order.insert(at, key.to_owned());
    let place = |key: &Key| order.iter().position(|one| one == key.get());
    match table {
        Item::Table(table) => {
            let indent = table.key(neighbour).and_then(|key| key.leaf_decor().prefix()?.as_str()).unwrap_or_default();
            let indent = indent.rsplit('\n').next().unwrap_or_default().to_owned();
            table.insert(key, toml_edit::value(value));
            if let Some(mut key) = table.key_mut(key) {
                key.leaf_decor_mut().set_prefix(indent);
            }
            table.sort_values_by(|one, _, other, _| place(one).cmp(&place(other)));
        }
        Item::Value(Value::InlineTable(table)) => {
            let mut new = Value::from(value);
            if let Some(last) = table.iter().last().map(|(key, _)| key.to_owned()).filter(|last| last == neighbour)
                && let Some(before) = table.get_mut(&last)
            {
                // What stands before the closing brace stays there.
                let end = before.decor().suffix().cloned().unwrap_or_default();
                before.decor_mut().set_suffix("");
                *new.decor_mut() = toml_edit::Decor::new(" ", end);
            }
            table.insert(key, new);
            table.sort_values_by(|one, _, other, _| place(one).cmp(&place(other)));
        }
        _ => return Err("a value stands where a table belongs".to_owned()),
    }
    Ok(())
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
    fn splice_keeps_comments_and_layout() {
        check(
            "# top\n[model]\nid = 'x' # served\nrevision = 'main'  # a branch\n\n[container]\n  image = 'a:1'   # the tag\n  port = 1\n",
            "# top\n[model]\nid = 'x' # served\nrevision = \"R\"  # a branch\n\n[container]\n  image = 'a:1'   # the tag\n  digest = \"D\"\n  port = 1\n",
        );
        check(
            "[container]\nport = 1\ndigest = '''old'''\nimage = 'a:1'\n[model]\nsource = 'o/n'\nid = 'x'",
            "[container]\nport = 1\ndigest = \"D\"\nimage = 'a:1'\n[model]\nsource = 'o/n'\nrevision = \"R\"\nid = 'x'\n",
        );
        check(
            "[container]\nimage = 'a:1'\n[model]\nid = 'x'",
            "[container]\nimage = 'a:1'\ndigest = \"D\"\n[model]\nid = 'x'\nrevision = \"R\"\n",
        );
    }

    #[test]
    fn splice_keeps_inline_tables() {
        check(
            "model = { id = 'x', source = 'o/n' }\ncontainer = { image = 'a:1', port = 1 }\n",
            "model = { id = 'x', source = 'o/n', revision = \"R\" }\ncontainer = { image = 'a:1', digest = \"D\", port = 1 }\n",
        );
    }

    #[test]
    fn splice_keeps_crlf_line_ends() {
        check(
            "[model]\r\nid = 'x'\r\n[container]\r\nimage = 'a:1'\r\n",
            "[model]\r\nid = 'x'\r\nrevision = \"R\"\r\n[container]\r\nimage = 'a:1'\r\ndigest = \"D\"\r\n",
        );
    }

    #[test]
    fn splice_into_text_that_is_no_recipe_fails() {
        assert!(splice("[model]\nid = 'x'\n", &pins()).unwrap_err().contains("no [container]"));
        assert!(splice("x", &pins()).is_err());
    }
}
