//! How long a run will take, before it is started.

use record::{Cell, Length, Load};

use crate::{planning, sharegpt::lengths, spec};

#[cfg(test)]
mod tests;

/// How fast an engine is, roughly.
#[derive(Debug, Clone, PartialEq)]
pub struct Speeds {
    /// Prompt tokens per second, over all streams.
    pub prefill_tok_s: f64,
    /// Output tokens per second of one stream, by streams at once: sorted by streams, not empty. Interpolated along the logarithm of the
    /// streams; outside the list, its ends hold.
    pub decode_tok_s_per_user: Vec<(u32, f64)>,
    /// From the start of the engine until it is ready, in seconds.
    pub boot_s: f64,
}

impl Default for Speeds {
    /// A DGX Spark with gpt-oss-120b (MXFP4) on vLLM. Decode: dendro-logic's concurrency sweep, 2026-04-22. Prefill: 2000 tok/s, as
    /// lmsys measured for 14B to 20B models (2025-10-13). Boot: 550 s for the weights (vllm#56824), and the first compile.
    fn default() -> Self {
        let decode_tok_s_per_user = vec![
            (1, 33.58),
            (2, 29.79),
            (4, 21.92),
            (8, 15.44),
            (16, 10.89),
            (32, 7.95),
            (64, 5.90),
            (96, 5.11),
            (128, 4.52),
            (192, 3.85),
            (256, 3.62),
            (384, 3.15),
        ];
        Self { prefill_tok_s: 2000.0, decode_tok_s_per_user, boot_s: 600.0 }
    }
}

impl Speeds {
    /// Output tokens per second of one of so many streams.
    #[must_use]
    pub fn decode_tok_s_per_user(&self, streams: u32) -> f64 {
        let list = &self.decode_tok_s_per_user;
        let above = list.partition_point(|&(at, _)| at < streams);
        let Some(&(high, high_tok_s)) = list.get(above) else { return list[list.len() - 1].1 };
        let Some(&(low, low_tok_s)) = above.checked_sub(1).map(|below| &list[below]) else { return high_tok_s };
        let share = libm::log(f64::from(streams) / f64::from(low)) / libm::log(f64::from(high) / f64::from(low));
        low_tok_s + share * (high_tok_s - low_tok_s)
    }

    /// The most output tokens per second over all streams.
    fn peak_tok_s(&self) -> f64 {
        self.decode_tok_s_per_user.iter().map(|&(streams, tok_s)| f64::from(streams) * tok_s).fold(0.0, f64::max)
    }
}

/// Planned duration of a run, in seconds: boots, and in each boot every cell's warm-up and trials.
#[must_use]
pub fn estimate_s(cells: &[Cell], boots: u32, trials_per_boot: u32, speeds: &Speeds) -> f64 {
    let one_boot: f64 = cells.iter().map(|cell| f64::from(trials_per_boot) * trial_s(cell, speeds)).sum();
    f64::from(boots) * (speeds.boot_s + one_boot)
}

/// Planned duration of one trial of a cell and the warm-up before it, in seconds.
#[must_use]
pub fn trial_s(cell: &Cell, speeds: &Speeds) -> f64 {
    load_s(cell, cell.load, speeds) + load_s(cell, planning::warm_up_load(cell.load), speeds)
}

/// A cell's requests under a load. Streams of a closed loop prefill in turn and decode together. An open loop lasts as long as its
/// arrivals, or as its service at the engine's best rate if that is longer, and then until its last request has ended.
fn load_s(cell: &Cell, load: Load, speeds: &Speeds) -> f64 {
    let prompt = mean(cell.prompt_tokens, lengths::MEAN_PROMPT_TOKENS);
    let output = mean(cell.output_tokens, lengths::MEAN_OUTPUT_TOKENS);
    let round_s = |streams: u32, prompt: f64| {
        f64::from(streams) * prompt / speeds.prefill_tok_s + output / speeds.decode_tok_s_per_user(streams)
    };
    match load {
        Load::Closed { streams, requests_per_stream } => f64::from(requests_per_stream) * round_s(streams, prompt),
        // Without reuse each turn prefills all before it: the longest that it can take.
        Load::Conversations { conversations, turns } => {
            let added = output + f64::from(spec::turn_tokens(cell));
            (0..turns).map(|turn| round_s(conversations, prompt + f64::from(turn) * added)).sum()
        }
        Load::Open { rate_per_s, requests, .. } => {
            let count = f64::from(requests);
            let arrivals_s = if rate_per_s > 0.0 { count / rate_per_s } else { 0.0 };
            let service_s = count * (prompt / speeds.prefill_tok_s + output / speeds.peak_tok_s());
            arrivals_s.max(service_s) + round_s(1, prompt)
        }
    }
}

fn mean(length: Length, recorded: f64) -> f64 {
    match length {
        Length::Fixed { tokens } => f64::from(tokens),
        Length::Uniform { low, high } => f64::midpoint(f64::from(low), f64::from(high)),
        Length::Recorded { high } => recorded.min(f64::from(high)),
    }
}
