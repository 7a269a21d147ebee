//! Runs of the DGX Spark arena (djangodevreng.nl, CC-BY-4.0) as they are published: a folder with the server's configuration, closed loops
//! measured by llama-benchy and open loops measured by `vllm bench serve`.
//!
//! The closed loops are what an engine is fitted to, the open ones are what the fit has never seen.

use std::{collections::BTreeMap, path::Path, str::FromStr};

use serde::Deserialize;

use crate::{
    fit::Trial,
    server::{Noise, Params},
};

pub mod check;
mod closed;
mod numpy;
mod open;

pub use closed::BadTable;
pub use open::{OpenTest, PublishedFigures};

/// One run of the arena: the files of a folder, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The server's settings from `meta.json`; its costs are those of `Params::default`, not fitted.
    pub engine: Params,
    pub closed: Vec<Trial>,
    pub open: Vec<OpenTest>,
}

/// Why a folder is no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArenaError {
    /// A file is not there.
    #[error("no {0} in the folder: a run of the arena has one")]
    Missing(&'static str),
    /// A file cannot be read.
    #[error("{file}: {why}")]
    File {
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A table is not llama-benchy's, or not as its headers say.
    #[error("{file}: {why}")]
    Table {
        file: String,
        /// What is wrong with it.
        why: BadTable,
    },
}

#[derive(Deserialize)]
struct Meta {
    served_name: String,
    server_config: ServerConfig,
}

#[derive(Deserialize)]
struct ServerConfig {
    max_model_len: u32,
    #[serde(default)]
    async_scheduling: bool,
    #[serde(default)]
    extra_vllm_args: String,
}

/// vLLM's defaults on a GPU with at least 70 GiB: `EngineArgs` of v0.26.
const STEP_TOKENS: u32 = 8192;
const SEQUENCES: u32 = 1024;

impl Run {
    /// Reads a run from the files of its folder, by name.
    pub fn read(files: &BTreeMap<String, String>) -> Result<Self, ArenaError> {
        let meta = files.get("meta.json").ok_or(ArenaError::Missing("meta.json"))?;
        let meta: Meta = serde_json::from_str(meta)
            .map_err(|error| ArenaError::File { file: "meta.json".to_owned(), why: error.to_string() })?;
        let numbered = |from: &'static str, to: &'static str| {
            files.iter().filter(move |(name, _)| (from..=to).contains(&name.get(..2).unwrap_or_default()))
        };
        let tables = numbered("01", "06").filter(|(name, _)| has_extension(name, "md"));
        let pairs = tables
            .map(|(name, text)| closed::pairs(text).map_err(|why| ArenaError::Table { file: name.clone(), why }))
            .collect::<Result<Vec<_>, _>>()?;
        let closed = closed::trials(&pairs.concat());
        if closed.is_empty() {
            return Err(ArenaError::Missing("closed loop (01-*.md to 06-*.md with llama-benchy's tables)"));
        }
        let results = numbered("07", "11").filter(|(name, _)| has_extension(name, "json") && *name != "11-rate-sweep.json");
        let open = results.map(|(name, text)| {
            open::read(name, text).map_err(|why| ArenaError::File { file: name.clone(), why: why.to_string() })
        });
        let engine = engine(&meta).map_err(|why| ArenaError::File { file: "meta.json".to_owned(), why })?;
        Ok(Self { engine, closed, open: open.collect::<Result<_, _>>()? })
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

fn engine(meta: &Meta) -> Result<Params, String> {
    let config = &meta.server_config;
    let words: Vec<_> =
        config.extra_vllm_args.split(|c: char| c.is_whitespace() || c == '=').filter(|word| !word.is_empty()).collect();
    // vLLM takes a flag with underscores too.
    let place = |name: &str| words.iter().position(|word| word.replace('_', "-") == name);
    let flag = |name: &str| {
        let Some(place) = place(name) else { return Ok(None) };
        let value = words.get(place + 1).copied().unwrap_or_default();
        u32::from_str(value).map(Some).map_err(|_| format!("extra_vllm_args: {name} has `{value}`, which is no whole number"))
    };
    let max_sequences = flag("--max-num-seqs")?.unwrap_or(SEQUENCES);
    let max_step_tokens = flag("--max-num-batched-tokens")?.unwrap_or(STEP_TOKENS);
    let asked = [("--async-scheduling", true), ("--no-async-scheduling", false)];
    let async_flag = asked.iter().find(|(name, _)| place(name).is_some()).map(|&(_, on)| on);
    let params = Params {
        model: meta.served_name.clone(),
        max_context_tokens: config.max_model_len,
        max_sequences,
        // A step has room for prefill beside a full batch.
        max_step_tokens: max_step_tokens.max(max_sequences.saturating_add(1)),
        // How much fits is not published; none of these runs fills it.
        kv_tokens: 100_000_000,
        async_scheduling: async_flag.unwrap_or(config.async_scheduling),
        noise: Noise { boot_ppm: 0, trial_ppm: 0, step_ppm: 0 },
        ..Params::default()
    };
    params.check().map_err(|error| error.to_string())?;
    Ok(params)
}

#[cfg(test)]
mod tests;
