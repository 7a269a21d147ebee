//! What kind of fact it is in which two engines differ, since that decides what follows from it.

use std::{fmt, str::FromStr};

use serde::Serialize;

/// A kind of fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Class"))]
#[serde(rename_all = "snake_case")]
pub enum Comparability {
    /// May be declared as the treatment, and is refused otherwise.
    Treatable(Treatment),
    /// What was asked and how it is counted: never comparable.
    Load,
    /// Told, and no more: driver, kernel, what logs say.
    #[serde(rename = "soft")]
    Informational,
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
