//! The verdict in words, one line, made of our own words and numbers only.

use super::{InconclusivePolicy, Order, OverallVerdict, Ruling};
use crate::statistics::verdict::Verdict;

pub(super) fn of(ruling: &Ruling) -> String {
    let count = |verdict| ruling.gate_rows().filter(|row| row.verdict == verdict).count();
    let family = ruling.gate_rows().count();
    let passing = ruling.gate_rows().filter(|row| row.verdict.passes()).count();
    let of_family = |count: usize| {
        let cells = if family == 1 { "gate cell" } else { "gate cells" };
        let are = if count == 1 { "is" } else { "are" };
        (format!("{count} of {family} {cells}"), are)
    };
    let mut others = Vec::new();
    for (verdict, word) in
        [(Verdict::Inconclusive, "inconclusive"), (Verdict::Refused, "refused"), (Verdict::Insufficient, "insufficient")]
    {
        if count(verdict) > 0 && verdict != ruling.overall.verdict() {
            others.push(format!("{} {word}", count(verdict)));
        }
    }
    let rest = if others.is_empty() { String::new() } else { format!(", {}", others.join(", ")) };
    match ruling.overall {
        OverallVerdict::Refused if !ruling.refusals.is_empty() => format!("Refused: {}", ruling.refusals.join("; ")),
        OverallVerdict::Refused => {
            let (cells, _) = of_family(count(Verdict::Refused));
            format!("Refused: {cells} cannot be compared; {passing} pass{rest}")
        }
        OverallVerdict::Insufficient => {
            let few = count(Verdict::Insufficient);
            let (cells, _) = of_family(few);
            let have = if few == 1 { "has" } else { "have" };
            format!("Insufficient: {cells} {have} fewer than three values on a side; {passing} pass{rest}")
        }
        OverallVerdict::Regressed => {
            let (cells, are) = of_family(count(Verdict::Regressed));
            format!("Regressed: {cells} {are} worse beyond chance, by the margin or more as estimated; {passing} pass{rest}")
        }
        OverallVerdict::Inconclusive => {
            let (cells, are) = of_family(count(Verdict::Inconclusive));
            let policy = if ruling.method.inconclusive == InconclusivePolicy::Fail { ", which fails this gate" } else { "" };
            format!("Inconclusive: {cells} {are} neither shown to be worse nor shown to be unchanged{policy}; {passing} pass")
        }
        OverallVerdict::Improved => {
            let (cells, are) = of_family(count(Verdict::Improved));
            format!(
                "Improved: {cells} {are} better beyond chance, by the margin or more as estimated; none is worse, {passing} pass"
            )
        }
        OverallVerdict::Unchanged => {
            let how = if ruling.method.order == Order::Interleaved { "measured in turns" } else { "against a stored baseline" };
            let all = if family == 1 { "the gate cell passes".to_owned() } else { format!("all {family} gate cells pass") };
            format!("No regression: {all}, {how}")
        }
    }
}
