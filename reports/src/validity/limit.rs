//! Judges whether a rate exceeds the limits of the machine.

use super::Reason;
use crate::{
    number::{Unit, figure},
    roofline::{Distance, Roofline, Utilisation},
};

/// How far decode may lie above the limit: stamps of one end of a span may be late, and a server may count the last token or not.
pub(super) const DECODE_TOLERANCE: f64 = 0.02;

/// The same for prefill. Active parameters hold the output layer, which is computed for the last token of a prompt only; that is up to
/// a ninth of them (gpt-oss-120b).
pub(super) const PREFILL_TOLERANCE: f64 = 0.12;

pub(super) fn judge(distance: &Distance, limits: &Roofline) -> Vec<Reason> {
    let decode = distance.decode.filter(|utilisation| utilisation.share > 1.0 + DECODE_TOLERANCE);
    let prefill = distance.prefill.filter(|utilisation| utilisation.share > 1.0 + PREFILL_TOLERANCE);
    let decode = decode.map(|utilisation| {
        let limit = format!("{} GB/s", limits.machine.bandwidth_gb_s);
        let text = format!("faster than memory: decode at {}", above(&utilisation, &limit));
        reason(
            &utilisation,
            DECODE_TOLERANCE,
            ("decode faster than memory allows", text),
            "the engine stores weights in fewer bits, or its tokens share more experts,",
        )
    });
    let prefill = prefill.map(|utilisation| {
        let limit = format!("{} TFLOP/s", limits.flops() / 1e12);
        let text = format!("faster than arithmetic: prefill at {}", above(&utilisation, &limit));
        reason(
            &utilisation,
            PREFILL_TOLERANCE,
            ("prefill faster than arithmetic allows", text),
            "the engine computes in fewer bits",
        )
    });
    decode.into_iter().chain(prefill).collect()
}

/// A trial above the sure limit is invalid; above the described limit it is suspect, since the description may be wrong.
fn reason(utilisation: &Utilisation, tolerance: f64, (kind, text): (&str, String), unless: &str) -> Reason {
    let reason = if utilisation.sure_share > 1.0 + tolerance {
        Reason::invalid(kind, text)
    } else {
        Reason::suspect(kind, format!("{text}, unless {unless} than is described"))
    };
    reason.with_extent(utilisation.share, Unit::Share)
}

fn above(utilisation: &Utilisation, limit: &str) -> String {
    let [rate, most] = [utilisation.tok_s, utilisation.ceiling_tok_s()].map(|rate| figure(rate, Unit::Plain));
    let share = figure(utilisation.share, Unit::Share);
    format!("{rate} tok/s needs {share} of {limit}, which allows {most} tok/s: cached, truncated, or miscounted")
}

#[cfg(test)]
mod tests;
