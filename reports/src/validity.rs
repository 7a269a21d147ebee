//! Which trials can be trusted. The rules are fixed in advance, and each reason carries the numbers that it was decided from.

use record::{ErrorBudget, Trial};
use serde::Serialize;

use crate::{
    metrics::TrialMetrics,
    number::Unit,
    roofline::{Distance, Roofline},
};

mod client;
mod limit;
mod load;
mod machine;
mod requests;
mod server;
mod steady;
mod tokens;

#[cfg(test)]
mod tests;

/// The validity of a trial: the worst of its reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// No reason speaks against the trial.
    Valid,
    /// The trial counts, and the report gives the reasons.
    Suspect,
    /// The trial does not count: its figures are not those of the planned load.
    Invalid,
}

impl Validity {
    /// The word for it in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Suspect => "suspect",
            Self::Invalid => "invalid",
        }
    }
}

/// A reason to doubt a trial, or a note on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reason {
    /// The validity that the trial has for this reason; [`Validity::Valid`] for a note.
    pub validity: Validity,
    /// What all trials with this reason have in common, in a few words and without their own numbers: reports count by it.
    pub kind: String,
    /// The reason in words, with the numbers it was decided from.
    pub text: String,
    /// How far the trial is off, where a larger figure is worse: reports name the worst of a kind.
    #[serde(skip)]
    pub extent: Option<(f64, Unit)>,
    /// The original words of the harness or a server; not safe as Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
}

impl Reason {
    fn new(validity: Validity, kind: impl Into<String>, text: impl Into<String>) -> Self {
        Self { validity, kind: kind.into(), text: text.into(), extent: None, quote: None }
    }

    fn note(kind: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Validity::Valid, kind, text)
    }

    fn suspect(kind: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Validity::Suspect, kind, text)
    }

    fn invalid(kind: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Validity::Invalid, kind, text)
    }

    fn with_extent(self, figure: f64, unit: Unit) -> Self {
        Self { extent: Some((figure, unit)), ..self }
    }

    fn with_quote(self, quote: Option<String>) -> Self {
        Self { quote, ..self }
    }

    /// The word for the validity in reports; `note` for a note.
    pub(crate) fn word(&self) -> &'static str {
        if self.validity == Validity::Valid { "note" } else { self.validity.word() }
    }
}

/// The judgement of a trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Judgement {
    /// Every reason and note, in the order of the rules.
    pub reasons: Vec<Reason>,
}

impl Judgement {
    /// The worst of the reasons.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.reasons.iter().map(|reason| reason.validity).max().unwrap_or(Validity::Valid)
    }
}

/// Judges one trial by itself. `template_tokens` is what the chat template adds to every prompt, by its boot: a head that all prompts
/// share by necessity; `instrument` is what is known of the client's own errors.
#[must_use]
pub fn judge(trial: &Trial, metrics: &TrialMetrics, template_tokens: u32, instrument: Option<&ErrorBudget>) -> Judgement {
    let mut reasons = Vec::new();
    requests::judge(trial, metrics, &mut reasons);
    client::judge(trial, metrics, instrument, &mut reasons);
    machine::judge(trial, &mut reasons);
    tokens::judge(trial, metrics, template_tokens, &mut reasons);
    server::judge(trial, &mut reasons);
    load::judge(trial, metrics, &mut reasons);
    steady::judge(trial, &mut reasons);
    Judgement { reasons }
}

/// Judges a trial by the limits of the machine: work that is faster than they allow was not done.
#[must_use]
pub fn judge_distance(distance: &Distance, limits: &Roofline) -> Vec<Reason> {
    limit::judge(distance, limits)
}

/// What the other trials of the same cell make of one: `earlier` are those before it, by their numbers and the digests of their plans. The
/// same prompts again may come out of a prefix cache, and add nothing that is independent. A second attempt has them on purpose, since the
/// first does not count.
pub fn judge_repetition<'p>(trial: &Trial, earlier: impl IntoIterator<Item = (u32, &'p str)>) -> Option<Reason> {
    let is_first_attempt = |number: u32| trial.attempt > 0 && number == trial.trial;
    let (same, _) = earlier.into_iter().find(|&(number, plan)| plan == trial.plan_digest && !is_first_attempt(number))?;
    Some(Reason::suspect(
        "the same prompts as an earlier trial",
        format!("its plan is that of trial {same}: the same prompts were sent before"),
    ))
}
