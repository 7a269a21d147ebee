//! How strict a comparison is, decided before it is made.

use std::{collections::BTreeSet, fmt, str::FromStr};

use record::Gate;
use serde::Serialize;

use crate::{noise::Calibration, statistics::verdict::Options};

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
    pub inconclusive: Inconclusive,
    /// Measured noise between boots and occasions, where somebody calibrated; what expired is not used.
    pub calibration: Option<Calibration>,
    /// The gates of a candidate whose record declares none, as records of layouts before 3.
    pub gates: Vec<Gate>,
}

/// What becomes of a gate cell about which nothing can be said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Inconclusive {
    /// A loud row, and the gate lets it through.
    #[default]
    Warn,
    /// The gate does not let it through.
    Fail,
}

/// What two sides may be declared to differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// The image or version of the engine, and the kernels that it chose.
    Image,
    /// Which engine, dialect and way to boot.
    Engine,
    /// The command line and settings of the container.
    Flags,
    /// Environment variables.
    Environment,
    /// The model, its revision, its weights.
    Model,
    /// The tokenizer that sized the prompts.
    Tokenizer,
    /// Machine, GPU, architecture, device.
    Machine,
}

impl Treatment {
    /// Every one.
    pub const ALL: &'static [Self] =
        &[Self::Image, Self::Engine, Self::Flags, Self::Environment, Self::Model, Self::Tokenizer, Self::Machine];

    /// All that a recipe says: what two recipes measured against each other are declared to differ in.
    pub const RECIPE: &'static [Self] = &[Self::Image, Self::Engine, Self::Flags, Self::Environment, Self::Model];

    /// Its word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Engine => "engine",
            Self::Flags => "flags",
            Self::Environment => "environment",
            Self::Model => "model",
            Self::Tokenizer => "tokenizer",
            Self::Machine => "machine",
        }
    }
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Treatment {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|one| one.word() == word).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|one| one.word()).collect();
            format!("`{word}` is not one of {}", known.join(", "))
        })
    }
}
