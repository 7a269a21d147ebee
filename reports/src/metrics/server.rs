//! The server's own metrics of a trial, with the client's counts of the same.

use record::{HistogramTotals, Observation, ServerMetrics, ServerTimings, ServerWatch, Trial};
use serde::Serialize;

use super::{RequestMetrics, SECOND_NS};

#[cfg(test)]
mod tests;

/// The server's account of a trial beside the client's. Tokens are totals, times are means over requests in nanoseconds, shares are of 1. A value
/// that the server does not report is `None`, and so is the client's count of the same, so that totals over trials stay comparable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ServerAccount {
    /// Output tokens that the server generated.
    pub server_output_tokens: Option<f64>,
    /// Output tokens by the client's count, over all requests whose counts are known.
    pub client_output_tokens: Option<f64>,
    /// Prompt tokens by the server; llama.cpp leaves out those from its prefix cache.
    pub server_prompt_tokens: Option<f64>,
    /// Prompt tokens by the usage of the answers.
    pub client_prompt_tokens: Option<f64>,
    /// Prompt tokens from the prefix cache over those that were looked up in it; where the server does not count the latter, over the
    /// prompt tokens of the answers.
    pub prefix_hit_share: Option<f64>,
    /// Requests that were put back since memory was full.
    pub preemptions: Option<f64>,
    /// Mean time in the server's queue.
    pub queue_ns: Option<f64>,
    /// Mean time in which the model was loaded for a request.
    pub load_ns: Option<f64>,
    /// Mean time in which prompts were read; from the server's histogram, else from the times that it gives with its answers.
    pub prefill_ns: Option<f64>,
    /// Mean time in which answers were written, likewise.
    pub decode_ns: Option<f64>,
    /// Mean TTFT as the server sees it.
    pub server_ttft_ns: Option<f64>,
    /// Mean TTFT of the client's served requests.
    pub client_ttft_ns: Option<f64>,
    /// Mean time of the same from the first token to the last.
    pub client_decode_ns: Option<f64>,
    /// Most requests that were computed at once, over the readings during the trial.
    pub running_peak: Option<f64>,
    /// Most requests in the server's queue, likewise.
    pub waiting_peak: Option<f64>,
    /// Largest share of the KV cache in use, likewise.
    pub kv_usage_peak: Option<f64>,
    /// Tokens per step of speculative decoding: `1 + accepted / drafts` (vLLM's mean acceptance length); where the server gives only a
    /// momentary value, the mean of those above 0.
    pub tokens_per_step: Option<f64>,
    /// Drafted tokens that were accepted over those drafted.
    pub accepted_share: Option<f64>,
}

impl ServerAccount {
    /// Both accounts; none where the server reports neither metrics nor timings.
    #[must_use]
    pub fn of(trial: &Trial) -> Option<Self> {
        let is_timed = trial.observations.iter().any(|observation| observation.server_timings.is_some());
        if trial.server.is_none() && !is_timed {
            return None;
        }
        let mut account = trial.server.as_ref().map(|watch| counter_account(watch, &trial.observations)).unwrap_or_default();
        let timed = |read: fn(&ServerTimings) -> Option<u64>| {
            mean(
                trial
                    .observations
                    .iter()
                    .filter_map(|observation| read(observation.server_timings.as_ref()?))
                    .map(|ns| ns as f64),
            )
        };
        account.load_ns = timed(|timings| timings.load_ns);
        account.prefill_ns = account.prefill_ns.or_else(|| timed(|timings| timings.prefill_ns));
        account.decode_ns = account.decode_ns.or_else(|| timed(|timings| timings.decode_ns));
        let is_open = trial.cell.load.is_open();
        let served: Vec<_> = trial
            .observations
            .iter()
            .map(|observation| RequestMetrics::of(observation, is_open))
            .filter(|request| request.served)
            .collect();
        account.client_ttft_ns = mean(served.iter().map(|request| request.ttft_ns));
        account.client_decode_ns = mean(served.iter().map(|request| request.e2el_ns - request.ttft_ns));
        Some(account)
    }

    /// Combines trials of one cell: totals are summed, peaks maximised, the rest averaged. A trial without a total is left out of it, for the server
    /// and the client.
    #[must_use]
    pub fn over(trials: &[Self]) -> Self {
        let all = |read: fn(&Self) -> Option<f64>| trials.iter().filter_map(read);
        let total = |read| all(read).reduce(|sum, value| sum + value);
        let peak = |read| all(read).reduce(f64::max);
        let mean = |read| mean(all(read));
        Self {
            server_output_tokens: total(|account| account.server_output_tokens),
            client_output_tokens: total(|account| account.client_output_tokens),
            server_prompt_tokens: total(|account| account.server_prompt_tokens),
            client_prompt_tokens: total(|account| account.client_prompt_tokens),
            prefix_hit_share: mean(|account| account.prefix_hit_share),
            preemptions: total(|account| account.preemptions),
            queue_ns: mean(|account| account.queue_ns),
            load_ns: mean(|account| account.load_ns),
            prefill_ns: mean(|account| account.prefill_ns),
            decode_ns: mean(|account| account.decode_ns),
            server_ttft_ns: mean(|account| account.server_ttft_ns),
            client_ttft_ns: mean(|account| account.client_ttft_ns),
            client_decode_ns: mean(|account| account.client_decode_ns),
            running_peak: peak(|account| account.running_peak),
            waiting_peak: peak(|account| account.waiting_peak),
            kv_usage_peak: peak(|account| account.kv_usage_peak),
            tokens_per_step: mean(|account| account.tokens_per_step),
            accepted_share: mean(|account| account.accepted_share),
        }
    }

    /// The part of the client's mean TTFT that the server's queue explains.
    #[must_use]
    pub fn queue_share(&self) -> Option<f64> {
        ratio(self.queue_ns?, self.client_ttft_ns?)
    }

    /// The remainder of the client's mean TTFT after the server's queue, load and prefill: transport, tokenizing, and the queue of a server that does
    /// not time it. None where the prefill is not known; below 0 where the server's times include other requests.
    #[must_use]
    pub fn rest_of_ttft_ns(&self) -> Option<f64> {
        let explained_ns = self.prefill_ns? + self.queue_ns.unwrap_or(0.0) + self.load_ns.unwrap_or(0.0);
        Some(self.client_ttft_ns? - explained_ns)
    }
}

/// Prompt tokens that came from the server's prefix cache during a trial, by its counters.
pub(crate) fn prefix_hits(watch: &ServerWatch) -> Option<f64> {
    growth(watch, |metrics| metrics.prefix_hits)
}

/// The server's counters, with the client's counts of the same.
fn counter_account(watch: &ServerWatch, observations: &[Observation]) -> ServerAccount {
    let count = |read: fn(&ServerMetrics) -> Option<f64>| growth(watch, read);
    let peak = |read: fn(&record::ServerReading) -> Option<f64>| watch.during.iter().filter_map(read).reduce(f64::max);
    let prompts = || {
        observations.iter().filter_map(|observation| observation.usage).map(|usage| f64::from(usage.prompt_tokens)).sum::<f64>()
    };
    let outputs = || observations.iter().filter_map(Observation::output_tokens).map(f64::from).sum::<f64>();
    let server_output_tokens = count(|metrics| metrics.generation_tokens);
    let server_prompt_tokens = count(|metrics| metrics.prompt_tokens);
    let looked_up = count(|metrics| metrics.prefix_queries).unwrap_or_else(prompts);
    let accepted = count(|metrics| metrics.accepted_tokens);
    let per_draft = accepted.zip(count(|metrics| metrics.drafts)).and_then(|(accepted, drafts)| ratio(accepted, drafts));
    let momentary = watch.during.iter().filter_map(|reading| reading.accepted_length).filter(|length| *length > 0.0);
    ServerAccount {
        server_output_tokens,
        client_output_tokens: server_output_tokens.map(|_| outputs()),
        server_prompt_tokens,
        client_prompt_tokens: server_prompt_tokens.map(|_| prompts()),
        prefix_hit_share: prefix_hits(watch).and_then(|hits| ratio(hits, looked_up)),
        preemptions: count(|metrics| metrics.preemptions),
        queue_ns: histogram_mean_ns(watch, |metrics| metrics.queue),
        prefill_ns: histogram_mean_ns(watch, |metrics| metrics.prefill),
        decode_ns: histogram_mean_ns(watch, |metrics| metrics.decode),
        server_ttft_ns: histogram_mean_ns(watch, |metrics| metrics.ttft),
        running_peak: peak(|reading| reading.running),
        waiting_peak: peak(|reading| reading.waiting),
        kv_usage_peak: peak(|reading| reading.kv_usage),
        tokens_per_step: per_draft.map(|accepted| 1.0 + accepted).or_else(|| mean(momentary)),
        accepted_share: accepted
            .zip(count(|metrics| metrics.draft_tokens))
            .and_then(|(accepted, drafted)| ratio(accepted, drafted)),
        ..ServerAccount::default()
    }
}

/// The growth of a counter during the trial. A labelled counter appears with its first event, so a counter that only the later of two successful
/// readings has began at 0. A counter that fell belongs to a restarted server and is none.
fn growth(watch: &ServerWatch, read: impl Fn(&ServerMetrics) -> Option<f64>) -> Option<f64> {
    let after = read(&watch.after)?;
    let before = match read(&watch.before) {
        None if watch.before == ServerMetrics::default() => return None,
        before => before.unwrap_or(0.0),
    };
    Some(after - before).filter(|grown| *grown >= 0.0)
}

/// The mean of the samples added to a histogram during the trial, in nanoseconds.
fn histogram_mean_ns(watch: &ServerWatch, read: fn(&ServerMetrics) -> Option<HistogramTotals>) -> Option<f64> {
    let sum_s = growth(watch, |metrics| Some(read(metrics)?.sum_s))?;
    let count = growth(watch, |metrics| Some(read(metrics)?.count))?;
    ratio(sum_s * SECOND_NS, count)
}

fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    ratio(sum, count)
}
