//! Processors that are reserved for the client.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The processor that is reserved for the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCore {
    /// The last one, where there are enough to spare one.
    #[default]
    Auto,
    /// None: client and engine share all.
    Shared,
    /// The processor of this number, as Linux counts them from 0.
    Number(u32),
}

impl fmt::Display for ClientCore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Shared => formatter.write_str("shared"),
            Self::Number(number) => number.fmt(formatter),
        }
    }
}

impl FromStr for ClientCore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "shared" => Ok(Self::Shared),
            number => number.parse().map(Self::Number).map_err(|_| "it is `auto`, `shared`, or a processor's number".to_owned()),
        }
    }
}

/// The processors of client and engine, by their numbers on that machine, where they were kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cores {
    /// That of the client's threads.
    pub client: u32,
    /// Those that the engine was started on: all others that the run was given.
    pub engine: Vec<u32>,
}

/// A list of processors as the kernel and Docker write it: `0-6,8`.
#[must_use]
pub fn format_core_list(cores: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &core in cores {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(core) => *last = core,
            _ => ranges.push((core, core)),
        }
    }
    let words = ranges.iter().map(|&(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
    words.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_core_round_trips_through_text() {
        for choice in [ClientCore::Auto, ClientCore::Shared, ClientCore::Number(19)] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!("-1".parse::<ClientCore>().is_err() && "Auto".parse::<ClientCore>().is_err());
    }

    #[test]
    fn core_list_is_formatted_as_ranges() {
        assert_eq!(format_core_list(&[0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
        assert_eq!(format_core_list(&[]), "");
    }
}
