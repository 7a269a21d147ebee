//! `noise.json`: the measured noise of an engine on a machine, beside its baseline.

use std::{
    fs,
    path::{Path, PathBuf},
};

use reports::{
    figures::RunFigures,
    noise::{CALIBRATION_SCHEMA_VERSION, Calibration},
};
use serde::Deserialize;

use crate::{UsageError, baselines, sides::Sides};

/// The calibration for a comparison: the file that was given, else the one beside the baseline's record, else the one of the baseline's
/// engine and machine; none where nobody calibrated.
pub(crate) fn load(
    given: Option<&Path>,
    sides: &Sides,
    baseline: &[RunFigures],
    store: &baselines::BaselineStore,
) -> Result<Option<Calibration>, UsageError> {
    if let Some(path) = given {
        return read(path).map(Some);
    }
    let beside = sides.baseline.first().and_then(|record| record.parent()).map(|folder| folder.join(baselines::CALIBRATION));
    let accepted = baseline.first().map(|run| store.folder(&run.header).join(baselines::CALIBRATION));
    let found: Option<PathBuf> = beside.into_iter().chain(accepted).find(|path| path.is_file());
    found.map(|path| read(&path)).transpose()
}

fn read(path: &Path) -> Result<Calibration, UsageError> {
    let wrong = |why: String| UsageError(format!("{}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    parse(&text).map_err(wrong)
}

/// Reads the version alone first: a newer file may not parse.
fn parse(text: &str) -> Result<Calibration, String> {
    #[derive(Deserialize)]
    struct SchemaHeader {
        schema_version: u32,
    }
    let not_one = |error: serde_json::Error| format!("not a calibration: {error}");
    let found = serde_json::from_str::<SchemaHeader>(text).map_err(not_one)?.schema_version;
    if found > CALIBRATION_SCHEMA_VERSION {
        return Err(format!(
            "the calibration has schema version {found}, this program reads up to {CALIBRATION_SCHEMA_VERSION}: update it"
        ));
    }
    serde_json::from_str(text).map_err(not_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_of_a_newer_schema_is_refused() {
        let text = r#"{"schema_version":1,"made_unix_s":null,"recipe":"r","machine":"m","expires_with":{},"occasions":4,"boots":12,
                       "cells":[]}"#;
        assert_eq!(parse(text).unwrap().boots, 12);
        let newer = parse(r#"{"schema_version":2,"what":"else"}"#).unwrap_err();
        assert_eq!(newer, "the calibration has schema version 2, this program reads up to 1: update it");
        assert!(parse("[]").unwrap_err().starts_with("not a calibration"));
        assert!(parse(&text.replace("occasions", "occasion")).unwrap_err().contains("unknown field `occasion`"));
    }
}
