//! Readiness is a real token. A `/health` that answers, or a port that is bound, proves neither a model nor a kernel.

use std::sync::Arc;

use futures_util::future::{self, Either};
use record::{Message, Observation, Outcome, PlannedRequest, Release, Role};

use super::{EngineError, EngineInstance};
use crate::{
    clock::{Clock, TrialClock},
    endpoint::Endpoint,
    stop::StopToken,
};

/// Pause between two attempts, in nanoseconds.
const PAUSE_NS: u64 = 250_000_000;
/// A server that says 500 this often in a row is not warming up.
const INTERNAL_ERRORS_MAX: u32 = 8;

/// A request outside any plan.
#[must_use]
pub fn probe_request(messages: Vec<Message>, output_tokens: u32) -> PlannedRequest {
    PlannedRequest {
        id: 0,
        release: Release::At { t_ns: 0 },
        messages,
        prompt_tokens: 0,
        output_tokens,
        structured: false,
        sampling_seed: 0,
    }
}

/// A message from the person.
#[must_use]
pub fn user_message(text: &str) -> Message {
    Message { role: Role::User, content: Arc::from(text) }
}

/// Sends one request and returns its observation, the text included. `limit_ns` bounds it.
pub async fn send_probe<E: Endpoint, C: Clock>(endpoint: &E, clock: &C, request: &PlannedRequest, limit_ns: u64) -> Observation {
    let trial = TrialClock::begin(clock);
    let mut observation = Observation::unsent(request);
    observation.text = Some(String::new());
    let outcome = {
        let send = Box::pin(endpoint.send(request, &trial, &mut observation));
        match future::select(send, Box::pin(trial.sleep_until(limit_ns))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Outcome::TimedOut { detail: format!("no answer within {} s", limit_ns / 1_000_000_000) },
        }
    };
    observation.outcome = outcome;
    observation
}

/// When an engine was ready, in nanoseconds on the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootTimes {
    /// When its own health endpoint first answered with success; none where it has none.
    pub healthy_at_ns: Option<u64>,
    /// When it had answered with a token.
    pub ready_at_ns: u64,
}

/// Waits until the engine says that it is healthy, where it has a word for that, and then has answered with a token.
pub async fn wait_until_ready<R: EngineInstance, C: Clock>(
    running: &R,
    clock: &C,
    model: &str,
    timeout_s: u32,
    stop: &StopToken,
) -> Result<BootTimes, EngineError> {
    let deadline_ns = clock.now_ns() + u64::from(timeout_s) * 1_000_000_000;
    let died = Box::pin(running.died());
    let attempts = Box::pin(async {
        let limit = Limit { deadline_ns, timeout_s };
        let healthy_at_ns = wait_until_healthy(running, clock, limit).await?;
        wait_for_token(running, clock, model, limit).await?;
        Ok(BootTimes { healthy_at_ns, ready_at_ns: clock.now_ns() })
    });
    match future::select(future::select(died, Box::pin(stop.wait())), attempts).await {
        Either::Left((Either::Left((how, _)), _)) => Err(EngineError::Exited { how, log_tail: running.log_tail() }),
        Either::Left((Either::Right(_), _)) => Err(EngineError::Interrupted),
        Either::Right((ready, _)) => ready,
    }
}

/// How long a boot may take.
#[derive(Clone, Copy)]
struct Limit {
    deadline_ns: u64,
    timeout_s: u32,
}

/// When it was healthy; none where it has no endpoint that says so.
async fn wait_until_healthy<R: EngineInstance, C: Clock>(
    running: &R,
    clock: &C,
    limit: Limit,
) -> Result<Option<u64>, EngineError> {
    loop {
        match running.endpoint().healthy().await {
            None => return Ok(None),
            Some(true) => return Ok(Some(clock.now_ns())),
            Some(false) => pause(running, clock, limit, || "it does not say that it is healthy".to_owned()).await?,
        }
    }
}

/// Pauses before the next attempt, unless the time is over by then.
async fn pause<R: EngineInstance, C: Clock>(
    running: &R,
    clock: &C,
    limit: Limit,
    last: impl FnOnce() -> String,
) -> Result<(), EngineError> {
    let next_ns = clock.now_ns() + PAUSE_NS;
    if next_ns >= limit.deadline_ns {
        return Err(EngineError::ReadyTimeout { timeout_s: limit.timeout_s, last: last(), log_tail: running.log_tail() });
    }
    clock.sleep_until(next_ns).await;
    Ok(())
}

async fn wait_for_token<R: EngineInstance, C: Clock>(
    running: &R,
    clock: &C,
    model: &str,
    limit: Limit,
) -> Result<(), EngineError> {
    let request = probe_request(vec![user_message("Say one word.")], 1);
    let mut internal_errors = 0;
    loop {
        let left_ns = limit.deadline_ns.saturating_sub(clock.now_ns());
        let answer = send_probe(running.endpoint(), clock, &request, left_ns).await;
        match &answer.outcome {
            Outcome::Complete if answer.first_token_ns.is_some() || answer.output_tokens() > Some(0) => return Ok(()),
            Outcome::Rejected { status, detail } if is_final(*status, &mut internal_errors) => {
                return Err(EngineError::RequestRefused {
                    model: model.to_owned(),
                    answer: format!("status {status}: {detail}"),
                    hint: hint(*status).to_owned(),
                });
            }
            Outcome::Malformed { detail } => {
                return Err(EngineError::RequestRefused {
                    model: model.to_owned(),
                    answer: format!("bytes that are not the protocol: {detail}"),
                    hint: "; does the recipe name the right dialect?".to_owned(),
                });
            }
            _ => {}
        }
        pause(running, clock, limit, || describe_outcome(&answer)).await?;
    }
}

/// True where waiting changes nothing: the client errors, save those that ask for patience, and a server that keeps failing.
fn is_final(status: u16, internal_errors: &mut u32) -> bool {
    match status {
        408 | 425 | 429 => false,
        400..=499 => true,
        500 => {
            *internal_errors += 1;
            *internal_errors >= INTERNAL_ERRORS_MAX
        }
        _ => false,
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => {
            "; name the variable that holds the key in the recipe's `secrets`, or with --api-key-env for a server that already runs"
        }
        404 => "; is this the name under which it serves the model, and the right URL?",
        422 => "; it may not know a field that the recipe's dialect sends: try dialect `openai`",
        500 => " (several times in a row); see the engine's log",
        _ => "",
    }
}

fn describe_outcome(answer: &Observation) -> String {
    match &answer.outcome {
        Outcome::Complete => "complete, but without a token".to_owned(),
        Outcome::Rejected { status, detail } => format!("status {status}: {detail}"),
        Outcome::Truncated { detail }
        | Outcome::TimedOut { detail }
        | Outcome::Disconnected { detail }
        | Outcome::Malformed { detail } => format!("{}: {detail}", answer.outcome.word()),
        Outcome::NotSent => "none".to_owned(),
    }
}
