//! Notes on the keys of a sparkrun recipe that are not converted.

use super::{
    super::yaml::{self, SourceRecipe},
    HOOKS, words,
};

/// Keys whose meaning is carried over, or that mean nothing on one machine.
const CARRIED: [&str; 14] = [
    "recipe_version",
    "model",
    "model_revision",
    "runtime",
    "container",
    "defaults",
    "env",
    "command",
    "executor_config",
    "description",
    "min_nodes",
    "max_nodes",
    "solo_only",
    "cluster_only",
];

/// Notes every key that is not carried over.
pub(super) fn keys(foreign: &SourceRecipe, notes: &mut Vec<String>) {
    for key in foreign.keys().filter(|key| !CARRIED.contains(key) && !HOOKS.contains(key)) {
        let note = match (key, foreign.get(key).and_then(serde_json::Value::as_object)) {
            (_, None) if foreign.get(key).is_none() => continue,
            ("metadata", Some(table)) if table.keys().all(|key| key == "description") => continue,
            ("benchmark", _) => "`benchmark`: the workloads here are this project's own".to_owned(),
            (_, Some(table)) => {
                let inner: Vec<_> =
                    table.keys().filter(|inner| key != "metadata" || *inner != "description").map(String::as_str).collect();
                format!("`{key}` ({})", inner.join(", "))
            }
            (_, None) => format!("`{key}`"),
        };
        notes.push(note);
    }
    if let Some(version) =
        foreign.get("recipe_version").and_then(yaml::scalar).filter(|version| !["1", "2"].contains(&version.as_str()))
    {
        notes.push(format!("whatever version {version} of the format means beyond versions 1 and 2"));
    }
}

/// Their one line for people, which stands in one of two places.
pub(super) fn description(foreign: &SourceRecipe) -> String {
    let metadata = foreign.get("metadata").and_then(|metadata| metadata.get("description")).and_then(yaml::scalar);
    let text = foreign.get("description").and_then(yaml::scalar).or(metadata).unwrap_or_default();
    words::line(&text)
}
