//! The first screen of a verdict: which cells changed, how sure that is, what differs, what is valid, what to do next.

use minijinja::{Value, context};
use record::{Launch, Profile};

use super::{
    super::{
        each_once,
        kinds::kind_lines,
        template,
        text::{Table, code_up_to, command_line},
    },
    extent::Extent,
    gate::{changed, interval_level, name, unit_word},
};
use crate::{
    identity::Comparability,
    judge::{Consequence, Order, Row, Ruling},
    metric::{BetterDirection, info},
    number::{chosen, figure, probability, spread},
    statistics::verdict::{Multiplicity, Note, Verdict},
};

/// Most rows of the first table: with it, everything above the first fold stands on one screen.
const CELLS_FIRST: usize = 6;

/// How many kinds of reasons stand on the first screen.
const KINDS_FIRST: usize = 3;

/// How many differences of one consequence do, and how much of their values.
const DIFFERENCES_FIRST: usize = 3;
const VALUE_CHARACTERS: usize = 60;

pub(super) fn facts(ruling: &Ruling, extent: &Extent) -> Value {
    let (passing, others): (Vec<&Row>, Vec<&Row>) = ruling.gate_rows().partition(|row| is_passing(row.verdict));
    let shown = others.len().min(CELLS_FIRST);
    let names = |rows: &[&Row]| {
        let names = rows.iter().map(|row| format!("{} {}", name(row, extent), changed(row)));
        (!rows.is_empty()).then(|| extent.joined(names, "; "))
    };
    let trials = ruling.baseline.trials + ruling.candidate.trials;
    context! {
        cells => (shown > 0).then(|| table(&others[..shown], &interval_level(ruling.method.alpha), extent)),
        cells_more => names(&others[shown..]),
        passing => names(&passing),
        sure => ruling.refusals.is_empty().then(|| sure(ruling, extent)).flatten(),
        trials,
        is_all_valid => [&ruling.baseline, &ruling.candidate].iter().all(|side| side.suspect + side.invalid == 0),
        validity => validity(ruling, trials),
        next_step => next_step(ruling, extent),
    }
}

/// Whether a row needs no look of its own.
fn is_passing(verdict: Verdict) -> bool {
    verdict.passes() && verdict != Verdict::Improved
}

fn table(rows: &[&Row], level: &str, extent: &Extent) -> String {
    let change = format!("Change [{level} interval]");
    let mut table = Table::new(&["Cell", "Metric", "Baseline", "Candidate", &change, "Margin", "Verdict"], 2);
    for row in rows {
        let mean = |mean: Option<f64>| mean.map_or("-".to_owned(), |mean| figure(mean, info(row.metric).unit));
        table.row([
            extent.code(&row.cell),
            info(row.metric).spelled.to_owned(),
            mean(row.baseline.mean),
            mean(row.candidate.mean),
            changed(row),
            chosen(row.margin),
            format!("**{}**", row.verdict.word()),
        ]);
    }
    table.markdown().to_owned()
}

/// What the evidence is worth: the adjusted p of what changed, how much worse the others may be at most, what would have been found.
fn sure(ruling: &Ruling, extent: &Extent) -> Option<Value> {
    let method = &ruling.method;
    // Where requests fail, the failures decide, and a p of the figures says nothing.
    let is_by_figures = |row: &&Row| !row.notes.iter().any(|note| matches!(note, Note::FailsMore | Note::Unbounded));
    let decided = ruling.gate_rows().filter(is_by_figures).filter_map(|row| match row.verdict {
        Verdict::Regressed => row.q_regressed,
        Verdict::Improved => row.q_improved,
        _ => None,
    });
    let is_decided = |row: &&Row| matches!(row.verdict, Verdict::Regressed | Verdict::Improved);
    let excluded = ruling.gate_rows().filter(|row| !is_decided(row));
    let excluded = excluded.filter_map(|row| Some((worst_bound_percent(row)?, row)));
    let excluded = excluded.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let mde = range(ruling.gate_rows().filter_map(|row| row.mde_percent), spread);
    let (adjusted_name, limit) = match method.options.multiplicity {
        Multiplicity::BenjaminiHochberg { q } => ("False discovery rate q", q),
        Multiplicity::Holm => ("Adjusted p (Holm)", method.alpha),
    };
    let adjusted = range(decided, probability);
    let has_any = adjusted.is_some() || excluded.is_some() || mde.is_some();
    has_any.then(|| {
        context! {
            adjusted,
            adjusted_name,
            has_changed => ruling.gate_rows().any(|row| is_decided(&row)),
            limit => limit.to_string(),
            limit_percent => chosen(limit),
            excluded => excluded.map(|(bound, _)| spread(bound)),
            excluded_cell => excluded.map(|(_, row)| format!("{}, margin {}", name(row, extent), chosen(row.margin))),
            confidence => chosen(1.0 - method.alpha),
            mde,
        }
    })
}

/// The end of the change's interval on the side that is worse, in percent, and at least 0.
fn worst_bound_percent(row: &Row) -> Option<f64> {
    let interval = row.interval_percent?;
    let bound = match info(row.metric).better? {
        BetterDirection::Lower => interval.high,
        BetterDirection::Higher => -interval.low,
    };
    bound.is_finite().then(|| bound.max(0.0))
}

/// `a to b`, or one of them where they read alike.
fn range(values: impl Iterator<Item = f64>, text: fn(f64) -> String) -> Option<String> {
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let (low, high) = (values.iter().copied().reduce(f64::min)?, values.iter().copied().reduce(f64::max)?);
    let (low, high) = (text(low), text(high));
    Some(if low == high { low } else { format!("{low} to {high}") })
}

fn validity(ruling: &Ruling, trials: usize) -> String {
    let sides = [&ruling.baseline, &ruling.candidate];
    let [suspect, invalid] = [sides.map(|side| side.suspect).iter().sum::<usize>(), sides.map(|side| side.invalid).iter().sum()];
    let reasons = sides.into_iter().flat_map(|side| &side.notes).map(|note| note.reasons.as_slice());
    let kinds = kind_lines(reasons, trials);
    let more = kinds.len().saturating_sub(KINDS_FIRST);
    let mut parts = vec![format!("{suspect} of {trials} trials suspect (they count), {invalid} invalid (left out)")];
    parts.extend(kinds.into_iter().take(KINDS_FIRST).map(|(_, line)| line));
    if more > 0 {
        parts.push(format!("and {more} further reasons below"));
    }
    parts.join("; ")
}

/// The differences in one line, those that forbid the comparison first.
pub(super) fn differences_line(ruling: &Ruling, extent: &Extent) -> String {
    let word = |consequence| match consequence {
        Consequence::Refused => "refused",
        Consequence::Treatment => "the change under test",
        Consequence::Warned => "no consequence",
    };
    let order = [Consequence::Refused, Consequence::Treatment, Consequence::Warned];
    let groups = order.into_iter().filter_map(|consequence| {
        let fields = ruling.differences.iter().filter(|one| one.consequence == consequence).map(|one| {
            let is_shown = consequence != Consequence::Warned;
            let values = is_shown.then(|| [&one.baseline, &one.candidate].map(|value| code_up_to(value, VALUE_CHARACTERS)));
            let values = values.map(|[baseline, candidate]| format!(": {baseline} → {candidate}")).unwrap_or_default();
            format!("{}{values}", extent.code(&one.field))
        });
        let fields: Vec<String> = fields.collect();
        let more = fields.len().saturating_sub(DIFFERENCES_FIRST);
        let mut shown = fields[..fields.len() - more].join(", ");
        if more > 0 {
            shown.extend([" and ", &more.to_string(), " more"]);
        }
        (!fields.is_empty()).then(|| format!("{shown} ({})", word(consequence)))
    });
    groups.collect::<Vec<_>>().join("; ")
}

fn next_step(ruling: &Ruling, extent: &Extent) -> String {
    let refused = || ruling.differences.iter().filter(|one| one.consequence == Consequence::Refused);
    let treatments = refused().filter_map(|one| match one.comparability {
        Comparability::Treatable(treatment) => Some(treatment.word()),
        _ => None,
    });
    let undecided: Vec<&Row> = ruling.gate_rows().filter(|row| row.verdict == Verdict::Inconclusive).collect();
    let facts = context! {
        kind => ruling.overall.verdict().word(),
        treatments => each_once(treatments).join(" --treatment "),
        is_load => refused().any(|one| one.comparability == Comparability::Load),
        is_interleaved => ruling.method.order == Order::Interleaved,
        has_occasion => ruling.method.occasion.is_some(),
        differences => ruling.differences.iter().filter(|one| one.consequence == Consequence::Treatment).count(),
        suspect => ruling.baseline.suspect + ruling.candidate.suspect,
        trials => ruling.baseline.trials + ruling.candidate.trials,
        needed => undecided.iter().filter_map(|row| row.trials_needed).max(),
        unit => undecided.first().map_or("boot", |row| unit_word(row, &ruling.method)),
        command => in_turns(ruling).map(|command| extent.code(&command)),
        copy_command => is_same_name(ruling).then(|| extent.code(&copy_command(ruling))),
    };
    template::fill_line("next_step", facts)
}

fn is_same_name(ruling: &Ruling) -> bool {
    ruling.baseline.recipe == ruling.candidate.recipe && ruling.candidate.launch != Launch::Simulated
}

/// How the old configuration gets a recipe of its own, to be measured beside the new one.
fn copy_command(ruling: &Ruling) -> String {
    let words = ["sparkgauge", "recipe", "new", "BASELINE", "--from", &ruling.baseline.recipe];
    command_line(&words.map(str::to_owned))
}

/// The command that measures what is not decided, or regressed, with both sides in turns; none where that was done, or where a server
/// that already runs cannot be booted.
fn in_turns(ruling: &Ruling) -> Option<String> {
    let sides = [&ruling.baseline, &ruling.candidate];
    if ruling.method.order == Order::Interleaved || sides.iter().any(|side| side.launch == Launch::Attach) {
        return None;
    }
    let mut command: Vec<String> = ["sparkgauge", "bench"].map(str::to_owned).to_vec();
    if ruling.candidate.launch == Launch::Simulated {
        command.extend(["--against", "simulated"].map(str::to_owned));
        command.extend(simulation_flags(ruling));
    } else {
        let baseline = if is_same_name(ruling) { "BASELINE" } else { &ruling.baseline.recipe };
        command.extend(["--recipe", &ruling.candidate.recipe, "--against", baseline].map(str::to_owned));
    }
    if ruling.candidate.profile != Profile::Standard {
        command.extend(["--profile".to_owned(), ruling.candidate.profile.to_string()]);
    }
    let wanted = ruling.gate_rows().filter(|row| !is_passing(row.verdict));
    for workload in each_once(wanted.map(|row| row.workload.as_str())) {
        command.extend(["--workload".to_owned(), workload.to_owned()]);
    }
    Some(command_line(&command))
}

/// The flags that made the simulated candidate what it is; its noise is drawn anew.
fn simulation_flags(ruling: &Ruling) -> Vec<String> {
    let command = ruling.candidate.runs.first().map(|run| run.command.as_slice()).unwrap_or_default();
    let pairs = command.windows(2).filter(|pair| pair[0].starts_with("--simulated-") && pair[0] != "--simulated-noise-seed");
    pairs.flatten().cloned().collect()
}
