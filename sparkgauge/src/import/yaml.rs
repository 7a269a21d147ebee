//! The foreign file as plain values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::convert::ImportError;

/// A sparkrun recipe: its top-level keys and values.
#[derive(Debug)]
pub(super) struct SourceRecipe(BTreeMap<String, Value>);

impl SourceRecipe {
    /// Reads a document that is one mapping.
    pub(super) fn read(text: &str) -> Result<Self, ImportError> {
        serde_saphyr::from_str(text).map(Self).map_err(|error| ImportError::NotYaml(error.to_string().trim_end().to_owned()))
    }

    /// A value that says something: neither null, nor an empty text, list or mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(table) => !table.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        })
    }

    /// A text, a number or a yes or no, as text.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, ImportError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        scalar(value).map(Some).ok_or_else(|| ImportError::Refused(format!("`{key}` is not one value")))
    }

    /// A mapping; an absent one is empty.
    pub(super) fn table(&self, key: &str) -> Result<Map<String, Value>, ImportError> {
        match self.get(key) {
            None => Ok(Map::new()),
            Some(Value::Object(table)) => Ok(table.clone()),
            Some(_) => Err(ImportError::Refused(format!("`{key}` is not a mapping"))),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// One value as the text that would stand on a command line.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
