//! Figures that others published about the DGX Spark, and the twin held against them.

use serde::Deserialize;

use crate::{
    description::{BadDescription, Placement, PlacementError, engines, machines, models, place},
    load::{BadLoad, Load, Release, Request, ServedRequest, serve},
};

mod page;

pub use page::page;

/// The figures of `published.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedData {
    /// Output rates over numbers of streams.
    pub sweep: Vec<Sweep>,
    /// Rates of one load.
    pub point: Vec<Point>,
}

/// Output rates over numbers of streams, each with one request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Name of its rows in `published.md`.
    pub id: String,
    /// Who published it, where and when.
    pub source: String,
    /// The description of its model.
    pub model: String,
    /// The description of its engine.
    pub engine: String,
    /// Prompt tokens of each request.
    pub prompt_tokens: u32,
    /// Whether all had the same prompt, which the engine then keeps.
    pub shared_prompt: bool,
    /// Output tokens of each request.
    pub output_tokens: u32,
    pub streams: Vec<u32>,
    /// Output tokens per second of all streams together, at each of them.
    pub output_tok_s: Vec<f64>,
}

/// Rates of one load.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Name of its rows in `published.md`.
    pub id: String,
    /// Who published it, where and when.
    pub source: String,
    /// The description of its model.
    pub model: String,
    /// The description of its engine.
    pub engine: String,
    pub streams: u32,
    pub prompt_tokens: u32,
    pub output_tokens: u32,
    /// Prompt tokens per second of all together.
    pub prefill_tok_s: f64,
    /// Output tokens per second of all together while all decode.
    pub decode_tok_s: f64,
}

/// A published figure and what the twin says to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The sweep's or point's `id`.
    pub id: String,
    pub streams: u32,
    /// Which rate: `output`, `prefill` or `decode`.
    pub rate: &'static str,
    /// As it was published, in tokens per second.
    pub published_tok_s: f64,
    /// As the twin says.
    pub twin_tok_s: f64,
}

impl Row {
    /// The twin's relative error.
    #[must_use]
    pub fn error(&self) -> f64 {
        self.twin_tok_s / self.published_tok_s - 1.0
    }
}

/// Why a published figure has no counterpart.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PredictionError {
    /// The table or a description cannot be read.
    #[error(transparent)]
    Description(#[from] BadDescription),
    /// A name in it is not described.
    #[error("published.toml: {0} is not described")]
    Unknown(String),
    /// The model does not fit.
    #[error(transparent)]
    TooLarge(#[from] PlacementError),
    /// The load cannot be served.
    #[error("{id}: {why}")]
    Load { id: String, why: BadLoad },
}

/// Reads the committed `published.toml`.
pub fn published_data() -> Result<PublishedData, BadDescription> {
    toml::from_str(include_str!("../published.toml")).map_err(|error| BadDescription::new("published.toml", &error))
}

/// Places a model from `descriptions/models` with an engine from `descriptions/engines` on one Spark.
pub fn place_on_spark(model: &str, engine: &str) -> Result<Placement, PredictionError> {
    let unknown = |what: &str| PredictionError::Unknown(what.to_owned());
    let machine = machines()?.into_iter().next().ok_or_else(|| unknown("a machine"))?;
    let model = models()?.into_iter().find(|known| known.name == model).ok_or_else(|| unknown(model))?;
    let engine = engines()?.into_iter().find(|known| known.name == engine).ok_or_else(|| unknown(engine))?;
    Ok(place(&machine, 1, &model, &engine)?)
}

impl Sweep {
    /// The twin's rate at each number of streams.
    pub fn rows(&self) -> Result<Vec<Row>, PredictionError> {
        let placed = place_on_spark(&self.model, &self.engine)?;
        let row = |(&streams, &published_tok_s): (&u32, &f64)| {
            let cached_tokens = if self.shared_prompt { self.prompt_tokens - 1 } else { 0 };
            let served = self.wave(&placed, streams, cached_tokens)?;
            let last_ns = served.iter().map(|one| one.last_ns).max().unwrap_or(1);
            let twin_tok_s = f64::from(streams) * f64::from(self.output_tokens) * 1e9 / last_ns as f64;
            Ok(Row { id: self.id.clone(), streams, rate: "output", published_tok_s, twin_tok_s })
        };
        self.streams.iter().zip(&self.output_tok_s).map(row).collect()
    }

    fn wave(&self, placed: &Placement, streams: u32, cached_tokens: u32) -> Result<Vec<ServedRequest>, PredictionError> {
        wave(&self.id, placed, streams, (self.prompt_tokens, cached_tokens, self.output_tokens))
    }
}

impl Point {
    /// The twin's two rates.
    pub fn rows(&self) -> Result<[Row; 2], PredictionError> {
        let placed = place_on_spark(&self.model, &self.engine)?;
        let served = wave(&self.id, &placed, self.streams, (self.prompt_tokens, 0, self.output_tokens))?;
        let last_first_ns = served.iter().map(|one| one.first_ns).max().unwrap_or(1);
        let last_ns = served.iter().map(|one| one.last_ns).max().unwrap_or(1);
        // While all decode: what each has left after the last first token.
        let left_ns = |one: &ServedRequest| one.last_ns.checked_sub(last_first_ns);
        let left: f64 = served.iter().filter_map(|one| Some(left_ns(one)? as f64 / 1e9 / one.tpot_s()?)).sum();
        let prefilled = f64::from(self.streams) * f64::from(self.prompt_tokens);
        let busy_ns = last_first_ns.saturating_sub(placed.params.accept_ns);
        let row = |rate, published_tok_s, twin_tok_s| Row {
            id: self.id.clone(),
            streams: self.streams,
            rate,
            published_tok_s,
            twin_tok_s,
        };
        Ok([
            row("prefill", self.prefill_tok_s, prefilled * 1e9 / busy_ns as f64),
            row("decode", self.decode_tok_s, left * 1e9 / (last_ns - last_first_ns) as f64),
        ])
    }
}

fn wave(id: &str, placed: &Placement, streams: u32, tokens: (u32, u32, u32)) -> Result<Vec<ServedRequest>, PredictionError> {
    let (prompt_tokens, cached_tokens, output_tokens) = tokens;
    let request = Request { release: Release::At(0), prompt_tokens, cached_tokens, output_tokens };
    let load = Load { requests: vec![request; streams as usize], max_in_flight: None };
    serve(&placed.params, 1, &load).map_err(|why| PredictionError::Load { id: id.to_owned(), why })
}

#[cfg(test)]
mod tests;
