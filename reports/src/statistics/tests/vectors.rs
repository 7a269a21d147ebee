//! The reference values: every case of the file, every field of its answer, at the case's own tolerance.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::reference_methods;

mod cells;
mod trials;

/// A case, with the fields of its answer that were checked.
pub(super) struct Case<'v> {
    pub(super) id: &'v str,
    pub(super) input: &'v Value,
    pub(super) expected: &'v Value,
    tolerance: f64,
    seen: BTreeSet<String>,
}

impl<'v> Case<'v> {
    fn new(case: &'v Value) -> Self {
        let id = case["id"].as_str().unwrap();
        let tolerance = case["tol_abs"].as_f64().unwrap();
        Self { id, input: &case["input"], expected: &case["expected"], tolerance, seen: BTreeSet::new() }
    }

    /// Asserts the value of a field of the answer.
    pub(super) fn check(&mut self, key: &str, actual: impl Into<Value>) {
        let actual = actual.into();
        let expected = self.expected.get(key).unwrap_or_else(|| panic!("{}: there is no {key}", self.id));
        assert!(same(&actual, expected, self.tolerance), "{}: {key} is {actual} and not {expected}", self.id);
        self.seen.insert(key.to_owned());
    }

    /// A number of the input.
    pub(super) fn number(&self, key: &str) -> f64 {
        self.input[key].as_f64().unwrap()
    }

    /// Numbers of the input.
    pub(super) fn numbers(&self, key: &str) -> Vec<f64> {
        numbers(&self.input[key])
    }

    /// Numbers of the input of the case that the input names.
    pub(super) fn numbers_of_other(&self, key: &str, field: &str) -> Vec<f64> {
        let id = &self.input[key];
        let all = all();
        numbers(&all.iter().find(|case| case["id"] == *id).unwrap()["input"][field])
    }
}

pub(super) fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn same(actual: &Value, expected: &Value, tolerance: f64) -> bool {
    match (actual, expected) {
        (Value::Number(one), Value::Number(other)) => (one.as_f64().unwrap() - other.as_f64().unwrap()).abs() <= tolerance,
        (Value::Array(some), Value::Array(others)) => {
            some.len() == others.len() && some.iter().zip(others).all(|(left, right)| same(left, right, tolerance))
        }
        (Value::Object(some), Value::Object(others)) => {
            some.len() == others.len() && others.iter().all(|(key, other)| same(&some[key], other, tolerance))
        }
        _ => actual == expected,
    }
}

fn all() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    file["cases"].as_array().unwrap().clone()
}

type Check = fn(&mut Case<'_>);

/// Checks of functions that the judge uses.
const JUDGE_CHECKS: &[(&str, Check)] = &[
    ("anova_random_effects", trials::anova),
    ("autocorr", trials::autocorrelation),
    ("constant", cells::pocock),
    ("family", cells::family),
    ("fisher_one_sided", trials::fisher),
    ("geomean_of_ratios", trials::geometric_mean),
    ("intended_start", trials::intended_start),
    ("linear_drift", trials::drift),
    ("mad_modified_z", trials::modified_z),
    ("mde", cells::mde),
    ("mser5", trials::mser5),
    ("p_adjust", cells::adjust),
    ("p_adjust_pair", cells::adjust_both),
    ("paired_log", cells::paired),
    ("quantile", trials::quantile),
    ("quantile_multi", trials::quantiles),
    ("sd", trials::standard_deviation),
    ("t_dist", cells::student),
    ("trials_needed", cells::trials_needed),
    ("welch_degenerate", cells::degenerate),
    ("welch_log_verdict", cells::welch),
    ("welch_raw", cells::welch_raw),
    ("welch_with_session_variance", cells::stored_baseline),
];

/// Checks of reference methods that are written for these tests and compared with those of the judge.
const REFERENCE_CHECKS: &[(&str, Check)] = &[
    ("bootstrap_exact_enumeration", reference_methods::bootstrap_enumerated),
    ("bootstrap_mc", reference_methods::bootstrap),
    ("effect_size", reference_methods::effect_size),
    ("harrell_davis", reference_methods::harrell_davis),
    ("mann_whitney_u", reference_methods::mann_whitney),
    ("permutation_mean_log", reference_methods::permutation),
    ("signflip_paired_mean_log", reference_methods::sign_flips),
    ("tukey", reference_methods::tukey),
];

#[test]
fn every_reference_value_is_reproduced() {
    let all = all();
    let mut kinds = BTreeSet::new();
    for value in &all {
        let (kind, mut case) = (value["kind"].as_str().unwrap(), Case::new(value));
        let checks: Vec<_> = JUDGE_CHECKS.iter().chain(REFERENCE_CHECKS).filter(|(name, _)| *name == kind).collect();
        assert_eq!(checks.len(), 1, "{}: nothing, or more than one thing, checks a {kind}", case.id);
        (checks[0].1)(&mut case);
        let fields: BTreeSet<String> = case.expected.as_object().unwrap().keys().cloned().collect();
        assert_eq!(case.seen, fields, "{}: not every field was looked at", case.id);
        kinds.insert(kind);
    }
    let without_cases: Vec<_> = JUDGE_CHECKS.iter().chain(REFERENCE_CHECKS).filter(|(kind, _)| !kinds.contains(kind)).collect();
    assert!(without_cases.is_empty(), "no case is a {without_cases:?}");
    assert_eq!(all.len(), 57);
}

#[test]
fn deviating_reference_value_is_detected() {
    assert!(same(&json!([1.0, {"x": null}]), &json!([1.0 + 1e-10, {"x": null}]), 1e-9));
    for other in [json!([1.0]), json!([1.0, {"x": 0.0}]), json!([1.0 + 1e-8, {"x": null}]), json!([1.0, {}]), json!("1")] {
        assert!(!same(&json!([1.0, {"x": null}]), &other, 1e-9), "{other}");
    }
}
