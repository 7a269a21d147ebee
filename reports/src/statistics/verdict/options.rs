//! How strict the judge is.

use serde::Serialize;

/// The one-sided chance of a false alarm in a cell, with one look at the data.
pub const ALPHA: f64 = 0.05;

/// Alpha at each of two looks, so that both together keep [`ALPHA`] (Pocock, *Group sequential methods in the design and analysis of clinical
/// trials*, 1977; one-sided, equally spaced).
pub const ALPHA_OF_TWO: f64 = 0.0304;

/// The share of false alarms that is accepted among all alarms of a family.
pub const Q: f64 = 0.10;

/// How strict the judge is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Options {
    /// Number of looks at the data.
    pub looks: Looks,
    /// The correction for the size of the family.
    pub multiplicity: Multiplicity,
    /// How large a change must be.
    pub rule: Rule,
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Options {
    /// A single look, Benjamini-Hochberg at [`Q`], and the plain rule for the margin.
    pub const DEFAULT: Self =
        Self { looks: Looks::One, multiplicity: Multiplicity::BenjaminiHochberg { q: Q }, rule: Rule::Margin };

    /// Whether a p, and in a family its adjusted value, are small enough. Holm's is held against alpha, since it bounds the chance of any
    /// false alarm; a q against its own limit.
    pub(super) fn is_beyond_chance(&self, p: f64, adjusted: Option<f64>) -> bool {
        let limit = match self.multiplicity {
            Multiplicity::BenjaminiHochberg { q } => q,
            Multiplicity::Holm => self.looks.alpha(),
        };
        p <= self.looks.alpha() && adjusted.is_none_or(|adjusted| adjusted <= limit)
    }
}

/// Number of looks at the data, which is decided before the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Looks {
    /// A single look at the data.
    One,
    /// At five units per side, and where a gate cell was inconclusive again at ten.
    Two,
}

impl Looks {
    /// The one-sided alpha of each look.
    #[must_use]
    pub fn alpha(self) -> f64 {
        match self {
            Self::One => ALPHA,
            Self::Two => ALPHA_OF_TWO,
        }
    }
}

/// The correction for the size of the family.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Multiplicity {
    /// The false discovery rate.
    BenjaminiHochberg {
        /// Upper bound of the false discovery rate.
        q: f64,
    },
    /// The chance of any false alarm, at most alpha.
    Holm,
}

/// How large a change must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The estimate reaches the margin.
    Margin,
    /// The whole interval lies beyond it: far fewer alarms near the margin, and less power.
    BeyondMargin,
}
