//! Judges whether the server's account of a trial agrees with the client's.

use record::{Observation, ServerWatch, Trial};

use super::Reason;
use crate::{
    metrics::ServerAccount,
    number::{Unit, figure},
};

#[cfg(test)]
mod tests;

/// Largest part by which the server's count of output tokens may miss the client's, and one token per request in any case: servers
/// differ in whether the end-of-sequence token counts.
const MAX_COUNT_DIFFERENCE: f64 = 0.01;

/// Largest mean queue time, as a share of the client's mean TTFT: above it the server's time includes other requests, since each waits in the queue
/// before its first token.
const MAX_QUEUE_OF_TTFT: f64 = 1.1;

/// Prefix of the harness's message that a prefix cache was not emptied.
const NOT_EMPTIED: &str = "not emptied";

pub(super) fn judge(trial: &Trial, reasons: &mut Vec<Reason>) {
    if let Some(why) = trial.facts.cache_reset.as_ref().filter(|words| words.starts_with(NOT_EMPTIED)) {
        let text = "the prefix cache was not emptied before the trial";
        reasons.push(Reason::note(text, text).with_quote(Some(why.clone())));
    }
    let Some(watch) = &trial.server else { return };
    judge_readings(watch, reasons);
    let Some(account) = ServerAccount::of(trial) else { return };
    reasons.extend(counter_reset(watch).map(|text| Reason::suspect("the server was started again", text)));
    reasons.extend(
        tokens_disagree(trial, &account).map(|text| Reason::suspect("server and client disagree in output tokens", text)),
    );
    if let Some(share) = account.queue_share().filter(|share| *share > MAX_QUEUE_OF_TTFT) {
        let text = format!(
            "the server's mean queue time is {} of the client's mean TTFT: not that of these requests alone",
            figure(share, Unit::Share)
        );
        let kind = "the server's queue time is longer than the time to the first token";
        reasons.push(Reason::note(kind, text).with_extent(share, Unit::Share));
    }
}

fn judge_readings(watch: &ServerWatch, reasons: &mut Vec<Reason>) {
    let failed = watch.failed_readings;
    if failed > 0 {
        let made = watch.during.len() as u64 + u64::from(failed);
        let text = format!("{failed} of {made} readings of the server's metrics failed");
        reasons.push(Reason::note("readings of the server's metrics failed", text).with_quote(watch.failure.clone()));
    }
}

/// A counter falls only when its server was restarted.
fn counter_reset(watch: &ServerWatch) -> Option<String> {
    let (before, after) = watch.before.generation_tokens.zip(watch.after.generation_tokens)?;
    let text = || format!("the server's count of output tokens fell from {before:.0} to {after:.0}: it was started again");
    (after < before).then(text)
}

/// Only where every request completed, those of the warm-up too: for one that failed or was given up the server may have generated
/// tokens, or still be generating them, that no client saw. Prompt tokens are not judged: some servers count only those that they read.
fn tokens_disagree(trial: &Trial, account: &ServerAccount) -> Option<String> {
    let is_counted = |observation: &Observation| observation.outcome.is_complete() && observation.output_tokens().is_some();
    let is_whole = trial.observations.iter().all(is_counted)
        && trial.warm_up.completed == trial.warm_up.requests
        && trial.facts.cut_short.is_none();
    let (server, client) = account.server_output_tokens.zip(account.client_output_tokens)?;
    let requests = trial.observations.len();
    let allowed = (client * MAX_COUNT_DIFFERENCE).max(requests as f64);
    let text = || format!("the server counted {server:.0} output tokens, the answers {client:.0}, in {requests} requests");
    (is_whole && (server - client).abs() > allowed).then(text)
}
