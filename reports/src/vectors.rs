//! Reference values that were computed with numpy and scipy, for the tests.

use serde_json::Value;

/// All cases of a kind.
pub(crate) fn cases_of_kind(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../tests/vectors.json")).unwrap();
    all["cases"].as_array().unwrap().iter().filter(|case| case["kind"] == kind).cloned().collect()
}

/// The case with that `id`.
pub(crate) fn case(id: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../tests/vectors.json")).unwrap();
    all["cases"].as_array().unwrap().iter().find(|case| case["id"] == id).unwrap().clone()
}

/// The array of a case's field as numbers.
pub(crate) fn floats(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}
