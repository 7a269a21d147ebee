//! The closed loops of a record of ours: every request's tokens and times are known.

use std::collections::BTreeMap;

use record::{Load, Observation, PrefixReuse, Record};

use super::{Measurement, Quantity, Trial};

/// The closed loops of a record, one for each cell; trials of a cell are averaged. Left out are conversations, since a prefix cache may
/// have served part of their prompts, trials in which a request failed, and those without token counts.
#[must_use]
pub fn trials(record: &Record) -> Vec<Trial> {
    let mut cells: BTreeMap<String, Vec<Trial>> = BTreeMap::new();
    for trial in &record.trials {
        let Load::Closed { streams, requests_per_stream } = trial.cell.load else { continue };
        if trial.cell.prefix_reuse == PrefixReuse::Allowed || trial.facts.cut_short.is_some() {
            continue;
        }
        let mut observations: Vec<_> = trial.observations.iter().collect();
        observations.sort_by_key(|observation| observation.request);
        let Some(answers) = observations.into_iter().map(Answer::of).collect::<Option<Vec<_>>>() else { continue };
        let name = format!("{}/{}", trial.cell.workload, trial.cell.point);
        if let Some(read) = read(name.clone(), streams, requests_per_stream, &answers) {
            cells.entry(name).or_default().push(read);
        }
    }
    cells.into_values().filter_map(|trials| average(&trials)).collect()
}

/// A request that got its tokens.
struct Answer {
    prompt_tokens: u32,
    output_tokens: u32,
    send_ns: u64,
    first_ns: u64,
    last_ns: u64,
}

impl Answer {
    fn of(observation: &Observation) -> Option<Self> {
        let usage = observation.usage.as_ref().filter(|_| observation.outcome.is_complete())?;
        // What the server had from before was not computed.
        if usage.cached_tokens.is_some_and(|cached| cached > 0) {
            return None;
        }
        Some(Self {
            prompt_tokens: usage.prompt_tokens.max(1),
            output_tokens: observation.output_tokens()?.max(1),
            send_ns: observation.send_ns?,
            first_ns: observation.first_token_ns?,
            last_ns: observation.last_token_ns?,
        })
    }

    fn decode_tok_s(&self) -> Option<f64> {
        let tokens = self.output_tokens.checked_sub(1).filter(|&tokens| tokens > 0)?;
        let took_ns = self.last_ns.checked_sub(self.first_ns).filter(|&took_ns| took_ns > 0)?;
        Some(f64::from(tokens) * 1e9 / took_ns as f64)
    }
}

fn read(name: String, streams: u32, requests_per_stream: u32, answers: &[Answer]) -> Option<Trial> {
    let count = answers.len() as f64;
    let ttft_s = answers.iter().map(|one| one.first_ns.saturating_sub(one.send_ns) as f64 / 1e9).sum::<f64>() / count;
    let rates: Vec<_> = answers.iter().filter_map(Answer::decode_tok_s).collect();
    let (first_ns, last_first_ns) =
        (answers.iter().map(|one| one.first_ns).min()?, answers.iter().map(|one| one.first_ns).max()?);
    let (sent_ns, last_ns) = (answers.iter().map(|one| one.send_ns).min()?, answers.iter().map(|one| one.last_ns).max()?);
    let prompts: f64 = answers.iter().map(|one| f64::from(one.prompt_tokens)).sum();
    let outputs = answers.iter().map(|one| f64::from(one.output_tokens)).sum::<f64>() - count;
    let over = |tokens: f64, from_ns: u64, to_ns: u64| tokens * 1e9 / to_ns.saturating_sub(from_ns).max(1) as f64;
    let measurement =
        |quantity, value: f64| (value > 0.0 && value.is_finite()).then_some(Measurement { quantity, value, sd: 0.01 });
    let several = streams > 1;
    let observed = [
        measurement(Quantity::TtftMean, ttft_s),
        measurement(Quantity::PrefillTokS, over(prompts, sent_ns, last_first_ns)).filter(|_| several && requests_per_stream == 1),
        measurement(Quantity::DecodeTokS, rates.iter().sum::<f64>() / rates.len() as f64),
        measurement(Quantity::OutputTokS, over(outputs, first_ns, last_ns)).filter(|_| several),
    ];
    Some(Trial {
        name,
        streams,
        requests: answers.iter().map(|one| (one.prompt_tokens, one.output_tokens)).collect(),
        may_end_early: false,
        observed: observed.into_iter().flatten().collect(),
    })
}

/// The trials of one cell as one: the lengths of the first, and the mean of each figure with its standard error.
fn average(trials: &[Trial]) -> Option<Trial> {
    let first = trials.first()?;
    let observed = first.observed.iter().map(|one| {
        let same = trials.iter().flat_map(|trial| &trial.observed).filter(|other| other.quantity == one.quantity);
        let values: Vec<_> = same.map(|other| other.value).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let square: f64 = values.iter().map(|value| (value / mean - 1.0).powi(2)).sum();
        // One trial alone does not tell how it varies.
        let sd = if values.len() > 1 { (square / (count - 1.0) / count).sqrt() } else { one.sd };
        Measurement { value: mean, sd, ..*one }
    });
    Some(Trial { observed: observed.collect(), ..first.clone() })
}
