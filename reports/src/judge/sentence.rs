//! The verdict in words, one line, made of our own words and numbers only.

use super::{InconclusivePolicy, Order, OverallVerdict, Ruling};
use crate::statistics::verdict::Verdict;

pub(super) fn of(ruling: &Ruling) -> String {
    let count = |verdict| ruling.gate_rows().filter(|row| row.verdict == verdict).count();
    let family = ruling.gate_rows().count();
    let passing = ruling.gate_rows().filter(|row| row.verdict.passes()).count();
    let cells = |count: usize| if count == 1 { "1 gate cell".to_owned() } else { format!("{count} gate cells") };
    let mut others = Vec::new();
    for (verdict, word) in
        [(Verdict::Inconclusive, "inconclusive"), (Verdict::Refused, "refused"), (Verdict::Insufficient, "insufficient")]
    {
        if count(verdict) > 0 {
            others.push(format!("{} {word}", count(verdict)));
        }
    }
    let rest = if others.is_empty() { String::new() } else { format!("; {}", others.join(", ")) };
    match ruling.overall {
        OverallVerdict::Refused if !ruling.refusals.is_empty() => format!("Refused: {}", ruling.refusals.join("; ")),
        OverallVerdict::Refused => {
            format!("Refused: {} of {family} cannot be compared; {passing} pass{rest}", cells(count(Verdict::Refused)))
        }
        OverallVerdict::Insufficient => {
            let few = count(Verdict::Insufficient);
            format!("Insufficient: {} of {family} have fewer than three values on a side; {passing} pass{rest}", cells(few))
        }
        OverallVerdict::Regressed => {
            format!(
                "Regressed: {} of {family} worse by the margin or more; {passing} pass{rest}",
                cells(count(Verdict::Regressed))
            )
        }
        OverallVerdict::Inconclusive => {
            let policy = if ruling.method.inconclusive == InconclusivePolicy::Fail {
                ", which this gate does not let through"
            } else {
                ""
            };
            format!(
                "Inconclusive: of {} of {family} nothing can be said{policy}; {passing} pass",
                cells(count(Verdict::Inconclusive))
            )
        }
        OverallVerdict::Improved => {
            format!(
                "Improved: {} of {family} better by the margin or more, none worse; {passing} pass",
                cells(count(Verdict::Improved))
            )
        }
        OverallVerdict::Unchanged => {
            let how =
                if ruling.method.order == Order::Interleaved { "measured side by side" } else { "against a stored baseline" };
            format!("No regression: all {family} gate cells pass, {how}")
        }
    }
}
