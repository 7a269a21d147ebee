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
    /// The treatments: kinds of difference that the comparison is about.
    pub treatment: BTreeSet<Treatment>,
    /// How the gate treats an inconclusive cell.
    pub inconclusive: InconclusivePolicy,
    /// Calibrated noise between boots and occasions; an expired calibration is not used.
    pub calibration: Option<Calibration>,
    /// The gates of a candidate whose record declares none, as records of layouts before 3.
    pub gates: Vec<Gate>,
}

/// How the gate treats an inconclusive cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Inconclusive"))]
#[serde(rename_all = "snake_case")]
pub enum InconclusivePolicy {
    /// The cell passes with a warning.
    #[default]
    Warn,
    /// The cell fails the gate.
    Fail,
}
