//! The kind of a fact decides whether sides that differ in it can be compared.

use std::{fmt, str::FromStr};

use serde::Serialize;

/// Whether sides that differ in a fact can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Class"))]
#[serde(rename_all = "snake_case")]
pub enum Comparability {
    /// Comparable if declared as the treatment, refused otherwise.
    Treatable(Treatment),
    /// The requested load and how it is counted: never comparable.
    Load,
    /// Reported without consequence: driver, kernel, facts from logs.
    #[serde(rename = "soft")]
    Informational,
}

/// A kind of difference that a comparison may be about (`--treatment`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// The image or version of the engine.
    Image,
    /// The engine, its dialect and how it is started.
    Engine,
    /// The command line and settings of the container.
    Flags,
    /// Environment variables of the engine.
    Environment,
    /// The model, its revision, its weights.
    Model,
    /// The tokenizer that sized the prompts.
    Tokenizer,
    /// Machine, GPU, architecture, device.
    Machine,
}

impl Treatment {
    /// All treatments, in the order of the command line's help.
    pub const ALL: &'static [Self] =
        &[Self::Image, Self::Engine, Self::Flags, Self::Environment, Self::Model, Self::Tokenizer, Self::Machine];

    /// The treatments that differ when two recipes are compared.
    pub const RECIPE: &'static [Self] = &[Self::Image, Self::Engine, Self::Flags, Self::Environment, Self::Model];

    /// The word on the command line.
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
        Self::ALL.iter().copied().find(|treatment| treatment.word() == word).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|treatment| treatment.word()).collect();
            format!("`{word}` is not one of {}", known.join(", "))
        })
    }
}
