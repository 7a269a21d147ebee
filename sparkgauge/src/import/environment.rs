//! A foreign environment: values that anyone may see, and secrets, of which only the names are taken.

use std::collections::BTreeMap;

use record::secret_name::{is_secret_name, is_variable_name};
use serde_json::{Map, Value};

use super::{convert::ImportError, template, yaml};

/// An environment of ours.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// Variables with their values.
    pub(super) open: BTreeMap<String, String>,
    /// Names of secrets, sorted.
    pub(super) secrets: Vec<String>,
    /// What was left out, for people.
    pub(super) left_out: Vec<String>,
}

impl Environment {
    /// Reads their `env`, with placeholders resolved.
    pub(super) fn read(env: &Map<String, Value>, values: &BTreeMap<String, String>) -> Result<Self, ImportError> {
        let mut environment = Self::default();
        for (name, value) in env {
            let value = match value {
                Value::Null => String::new(),
                value => yaml::scalar(value).ok_or_else(|| ImportError::Refused(format!("env `{name}` is not one value")))?,
            };
            if is_passed_through(name, &value) {
                environment.insert(name, &value)?;
            } else {
                environment.insert(name, &template::resolve(&value, values)?.text)?;
            }
        }
        Ok(environment)
    }

    /// Adds a variable, as a secret if its name says so.
    pub(super) fn insert(&mut self, name: &str, value: &str) -> Result<(), ImportError> {
        if !is_variable_name(name) {
            return Err(ImportError::Refused(format!("env: `{}` is no variable's name", name.escape_debug())));
        }
        if is_secret_name(name) {
            if !is_passed_through(name, value) {
                self.left_out
                    .push(format!("the value of env `{name}`: a secret's value stands in no recipe; set it in your environment"));
            }
            if !self.secrets.iter().any(|known| known == name) {
                self.secrets.push(name.to_owned());
            }
            return Ok(());
        }
        if value.contains('$') || value.contains('\0') {
            return Err(ImportError::Refused(format!(
                "env `{name}` takes its value from the machine that it is read on; write the value, or leave it out"
            )));
        }
        self.open.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

/// `$NAME` or `${NAME}` of the very same name: the value is to come from outside.
fn is_passed_through(name: &str, value: &str) -> bool {
    let inner = value.strip_prefix('$').unwrap_or_default();
    inner == name || inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Environment, ImportError> {
        Environment::read(&serde_json::from_str(json).unwrap(), &BTreeMap::from([("port".to_owned(), "80".to_owned())]))
    }

    #[test]
    fn secrets_are_imported_by_name_only() {
        let environment =
            read(r#"{"A": 1, "B": true, "P": "{port}", "HF_TOKEN": "${HF_TOKEN}", "X_API_KEY": "abc", "TOKENIZERS_PARALLELISM": "no"}"#)
                .unwrap();
        assert_eq!(environment.open.len(), 4);
        assert_eq!(
            (environment.open["A"].as_str(), environment.open["B"].as_str(), environment.open["P"].as_str()),
            ("1", "true", "80")
        );
        assert_eq!(environment.secrets, ["HF_TOKEN", "X_API_KEY"]);
        assert!(environment.left_out.len() == 1 && !environment.left_out[0].contains("abc"), "{:?}", environment.left_out);
    }

    #[test]
    fn variables_of_this_machine_are_refused() {
        let check = |json: &str, part: &str| {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check(r#"{"LEAK": "$AWS_REGION"}"#, "env `LEAK`");
        check(r#"{"PATH": "/x:$PATH"}"#, "env `PATH`");
        check(r#"{"A B": "1"}"#, "no variable's name");
        check(r#"{"A": [1]}"#, "not one value");
        check(r#"{"A": "{nothing}"}"#, "`{nothing}`");
    }
}
