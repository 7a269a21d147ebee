//! The committed schema, and whether a ruling's JSON is as it says.

use std::{fs, path::PathBuf};

use serde_json::Value;

use super::{file_name, schema};
use crate::fixture::ruling;

#[test]
fn committed_schema_matches_the_types() {
    let generated = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema").join(file_name());
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        generated == committed,
        "{} is not what the types say. If what reads rulings still works, accept it: \
         `cargo xtask regenerate schemas`; else raise RULING_SCHEMA_VERSION first",
        path.display()
    );
}

#[test]
fn rulings_match_the_schema() {
    let schema = serde_json::to_value(schema()).unwrap();
    let rulings = [
        ruling::unchanged(),
        ruling::regressed(),
        ruling::inconclusive(),
        ruling::refused(),
        ruling::insufficient(),
        ruling::improved(),
        ruling::second_look(),
    ];
    for one in rulings {
        assert_eq!(mismatch(&schema, &schema, &serde_json::to_value(&one).unwrap(), "ruling"), None);
    }
    let mut wrong = serde_json::to_value(ruling::unchanged()).unwrap();
    wrong["rows"][0]["verdict"] = Value::from("splendid");
    let place = mismatch(&schema, &schema, &wrong, "ruling").unwrap();
    assert!(place.starts_with("ruling.rows[0].verdict"), "{place}");
    let mut unknown = serde_json::to_value(ruling::unchanged()).unwrap();
    unknown["method"]["mood"] = Value::from(1);
    assert_eq!(mismatch(&schema, &schema, &unknown, "ruling").as_deref(), Some("ruling.method.mood is not in the schema"));
}

/// Where a value is not as its schema says, by the few keywords that generated schemas have.
fn mismatch(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let Some(target) = root.pointer(name.trim_start_matches('#')) else { return Some(format!("{at}: there is no {name}")) };
        return mismatch(root, target, value, at);
    }
    for alternatives in [&schema["oneOf"], &schema["anyOf"]].into_iter().filter_map(Value::as_array) {
        if !alternatives.iter().any(|one| mismatch(root, one, value, at).is_none()) {
            return Some(format!("{at} is none of {} alternatives: {value}", alternatives.len()));
        }
    }
    let is_one_of = |kind: &Value| match kind.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a schema of type {other} is new here"),
    };
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        Value::Null => Vec::new(),
        kind => vec![kind.clone()],
    };
    if !kinds.is_empty() && !kinds.iter().any(is_one_of) {
        return Some(format!("{at} is not {kinds:?}: {value}"));
    }
    let is_allowed = |allowed: &Vec<Value>| allowed.contains(value);
    if schema.get("const").is_some_and(|only| only != value) || !schema["enum"].as_array().is_none_or(is_allowed) {
        return Some(format!("{at} has another value: {value}"));
    }
    let items = value.as_array().filter(|_| schema.get("items").is_some()).into_iter().flatten().enumerate();
    let items = items.filter_map(|(n, item)| mismatch(root, &schema["items"], item, &format!("{at}[{n}]")));
    items.chain(fields(root, schema, value, at)).next()
}

fn fields(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let (object, properties) = (value.as_object()?, schema["properties"].as_object()?);
    let missing =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).find(|name| !object.contains_key(*name));
    if let Some(name) = missing {
        return Some(format!("{at} has no {name}"));
    }
    object.iter().find_map(|(name, field)| match properties.get(name) {
        Some(schema) => mismatch(root, schema, field, &format!("{at}.{name}")),
        None => Some(format!("{at}.{name} is not in the schema")),
    })
}
