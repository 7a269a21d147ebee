//! How strict a comparison is, decided before it is made.

use std::collections::BTreeSet;

use record::Gate;
use serde::Serialize;

use crate::{identity::Treatment, noise::Calibration, statistics::verdict::Options};

/// How strict a comparison is.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Alpha, looks, correction for the family, rule of the margin.
    pub options: Options,
    /// Which look this is, from 1; the last one does not promise another.
    pub look: u32,
    /// What may differ between the sides, since it is what the comparison is about.
    pub treatment: BTreeSet<Treatment>,
    /// What becomes of a gate cell about which nothing can be said.
    pub inconclusive: InconclusivePolicy,
    /// Measured noise between boots and occasions, where somebody calibrated; what expired is not used.
    pub calibration: Option<Calibration>,
    /// The gates of a candidate whose record declares none, as records of layouts before 3.
    pub gates: Vec<Gate>,
}

/// What becomes of a gate cell about which nothing can be said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Inconclusive"))]
#[serde(rename_all = "snake_case")]
pub enum InconclusivePolicy {
    /// A loud row, and the gate lets it through.
    #[default]
    Warn,
    /// The gate does not let it through.
    Fail,
}
