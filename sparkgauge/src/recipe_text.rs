//! A recipe as TOML, laid out for people: scalars first, then tables, one flag with its value on a line.

use std::fmt::Write as _;

use record::Recipe;
use serde_json::{Map, Value};

/// The order in which a reader wants the keys; what is not here comes last, sorted.
const ORDER: [&str; 34] = [
    "name",
    "engine",
    "dialect",
    "description",
    "secrets",
    "prefix_cache",
    "metrics_path",
    "model",
    "container",
    "process",
    "attach",
    "ready",
    "limits",
    "id",
    "source",
    "revision",
    "tokenizer",
    "max_context",
    "image",
    "digest",
    "platform",
    "entrypoint",
    "command",
    "env",
    "mounts",
    "target",
    "writable",
    "port",
    "host_port",
    "gpus",
    "shm_mib",
    "ipc",
    "ulimits",
    "url",
];

/// A recipe's text: everything it says, its defaults included.
pub(crate) fn recipe(recipe: &Recipe) -> String {
    let mut text = String::new();
    // A recipe is plain data with string keys, so this cannot fail.
    if let Ok(Value::Object(table)) = serde_json::to_value(recipe) {
        write_table(&mut text, "", &table);
    }
    text
}

fn write_table(text: &mut String, path: &str, table: &Map<String, Value>) {
    let (tables, plain): (Vec<_>, Vec<_>) = sorted(table).into_iter().partition(|(_, value)| is_table(value));
    if !path.is_empty() {
        let _ = write!(text, "\n[{path}]\n");
    }
    for (key, value) in plain {
        let shown = if key == "command" { command(value) } else { inline(value) };
        let _ = writeln!(text, "{} = {shown}", self::key(key));
    }
    for (key, value) in tables {
        let (Some(inner), key) = (value.as_object(), self::key(key)) else { continue };
        let path = if path.is_empty() { key } else { format!("{path}.{key}") };
        write_table(text, &path, inner);
    }
}

fn is_table(value: &Value) -> bool {
    value.is_object()
}

/// What says nothing is left out: a table without keys is what its absence means too.
fn sorted(table: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let says = |value: &Value| !value.is_null() && !value.as_object().is_some_and(Map::is_empty);
    let mut entries: Vec<_> = table.iter().filter(|(_, value)| says(value)).collect();
    entries.sort_by_key(|(key, _)| (ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()), *key));
    entries
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let entries = sorted(table).into_iter().map(|(key, value)| format!("{} = {}", self::key(key), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn command(words: &Value) -> String {
    let Some(words) = words.as_array().filter(|words| !words.is_empty()) else { return "[]".to_owned() };
    let mut text = "[\n   ".to_owned();
    for (at, word) in words.iter().enumerate() {
        if at > 0 && word.as_str().is_some_and(|word| word.starts_with('-')) {
            text.push_str("\n   ");
        }
        let _ = write!(text, " {},", inline(word));
    }
    text.push_str("\n]");
    text
}

fn key(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|one| one.is_ascii_alphanumeric() || "-_".contains(one));
    if bare { key.to_owned() } else { string(key) }
}

/// A basic string (toml.io/en/v1.0.0#string): quotation mark, backslash and control characters are escaped.
pub(crate) fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_recipe_reads_back_as_it_was() {
        for loaded in crate::example::recipes().all() {
            let known = loaded.unwrap().recipe;
            let again = record::recipe::parse(&recipe(&known), "again", &known.name).unwrap();
            assert_eq!(again, known);
        }
    }

    proptest! {
        #[test]
        fn any_string_reads_back_as_it_was(text in any::<String>()) {
            let table: std::collections::BTreeMap<String, String> = toml::from_str(&format!("x = {}", string(&text))).unwrap();
            prop_assert_eq!(&table["x"], &text);
        }
    }
}
