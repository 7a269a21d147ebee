//! Tests whether the machine drifted. A drift during a side's boots looks like a difference, unless the sides were interleaved.
//!
//! A test of each cell and side, with a handful of boots, has little power and many chances of a false alarm: of families of nine gates without
//! drift, the plain rule (p < 0.01) would refuse a cell in about every seventh. So there are two tests: one of the machine, with the mean over all
//! gate cells of each boot, which has far less noise; and one of each cell, with p adjusted for all of them by Holm.

use record::Side;

use super::{MachineDrift, Order, rows::PendingRow};
use crate::statistics::{
    comparison::Refusal,
    drift::{Drift, P_DRIFT, SHARE_OF_MARGIN},
    moments,
    multiplicity::holm,
    student::StudentT,
    verdict::Note,
};

/// How a boot compares with its side: the mean over cells of `s ln value`, less each cell's mean over the side, where `s` makes worse
/// positive.
#[derive(Debug, Clone, Copy, PartialEq)]
struct BootMean {
    side: Side,
    /// The boot's place in the order of measuring.
    place: f64,
    /// The mean, as a natural logarithm; positive is worse than the side's mean.
    worse_ln: f64,
}

/// The drift of a machine: least squares of a line through the boots' means, with one slope and an intercept per side, and of a line for
/// each side alone, since each may have been measured on another day. The smallest p counts, that of a side doubled as there are two;
/// where nothing drifts it is below 0.01 in at most 2 of 100 comparisons. `least_margin` is the smallest of the gate. None of fewer than
/// three boots on either side.
fn fit_machine_drift(boots: &[BootMean], least_margin: f64) -> Option<MachineDrift> {
    let sides: Vec<Vec<BootMean>> =
        Side::ALL.iter().map(|side| boots.iter().filter(|boot| boot.side == *side).copied().collect()).collect();
    let mut slopes: Vec<Slope> = sides.iter().filter_map(|side| Slope::of(&[side.as_slice()])).collect();
    for slope in &mut slopes {
        slope.p = (2.0 * slope.p).min(1.0);
    }
    slopes.extend(Slope::of(&sides.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    let steepest = slopes.into_iter().min_by(|left, right| left.p.total_cmp(&right.p))?;
    let matters = steepest.p < P_DRIFT && steepest.total_ln.abs() > SHARE_OF_MARGIN * least_margin.ln_1p();
    Some(MachineDrift { total_percent: 100.0 * steepest.total_ln.exp_m1(), p: steepest.p, matters })
}

/// One slope through several groups, each with its own intercept.
struct Slope {
    p: f64,
    /// Change over the widest group, in natural logarithms.
    total_ln: f64,
}

impl Slope {
    fn of(groups: &[&[BootMean]]) -> Option<Self> {
        if groups.iter().any(|group| group.len() < 3) {
            return None;
        }
        let (mut sxx, mut sxy, mut syy, mut n, mut span) = (0.0, 0.0, 0.0, 0.0, 0.0_f64);
        for group in groups {
            let x: Vec<f64> = group.iter().map(|boot| boot.place).collect();
            let y: Vec<f64> = group.iter().map(|boot| boot.worse_ln).collect();
            let (mean_x, mean_y) = (moments::mean(&x)?, moments::mean(&y)?);
            for (x, y) in x.iter().zip(&y) {
                sxx += (x - mean_x).powi(2);
                sxy += (x - mean_x) * (y - mean_y);
                syy += (y - mean_y).powi(2);
            }
            n += x.len() as f64;
            let (first, last) = (x.iter().copied().fold(f64::INFINITY, f64::min), x.iter().copied().fold(0.0, f64::max));
            span = span.max(last - first);
        }
        let slope = sxy / sxx;
        let df = n - groups.len() as f64 - 1.0;
        let se = ((syy - slope * sxy).max(0.0) / df / sxx).sqrt();
        let t = if slope == 0.0 { 0.0 } else { slope.abs() / se };
        let p = 2.0 * StudentT::new(df)?.sf(t);
        (slope.is_finite() && p.is_finite()).then_some(Self { p, total_ln: slope * span })
    }
}

/// The drift of the machine during the units of the gate. Cells that are compared seed by seed stay out: their units differ by their seeds.
pub(super) fn machine_drift(rows: &[PendingRow]) -> Option<MachineDrift> {
    let cells = || rows.iter().filter(|row| row.cell.gate && !row.is_paired && !row.is_one_boot);
    let mut boots: Vec<(BootMean, usize)> = Vec::new();
    for row in cells() {
        let Some(sign) = row.worse_sign() else { continue };
        for (side, (values, places)) in Side::ALL.iter().zip(row.values.iter().zip(&row.places)) {
            let Some(logarithms) = moments::logarithms(values) else { continue };
            let mean = moments::mean(&logarithms).unwrap_or(0.0);
            for (value, &place) in logarithms.iter().zip(places) {
                let worse_ln = sign * (value - mean);
                match boots.iter_mut().find(|(boot, _)| boot.side == *side && boot.place.total_cmp(&place).is_eq()) {
                    Some((boot, count)) => (boot.worse_ln, *count) = (boot.worse_ln + worse_ln, *count + 1),
                    None => boots.push((BootMean { side: *side, place, worse_ln }, 1)),
                }
            }
        }
    }
    let means: Vec<BootMean> =
        boots.into_iter().map(|(boot, count)| BootMean { worse_ln: boot.worse_ln / count as f64, ..boot }).collect();
    let least_margin = cells().map(|row| row.cell.margin).fold(f64::INFINITY, f64::min);
    fit_machine_drift(&means, least_margin)
}

/// Refuses the rows of stored sides that drifted; of interleaved sides a drift only adds a note.
pub(super) fn apply_drift(rows: &mut [PendingRow], machine: Option<MachineDrift>, order: Order) {
    if let Some(drift) = machine.filter(|drift| drift.matters && order == Order::Stored) {
        let why = format!(
            "the machine drifted by {:.1} % over a side's boots, which cannot be told from a difference: let it warm up, or measure both \
             sides interleaved with --against",
            drift.total_percent.abs()
        );
        // Values that were not measured anew did not drift either, and that is what to say of them.
        let is_sound = |row: &PendingRow| !matches!(row.cell.outcome, Err(Refusal::Integrity { .. }));
        for row in rows.iter_mut().filter(|row| is_sound(row)) {
            row.cell.outcome = Err(Refusal::Integrity { why: why.clone() });
        }
        return;
    }
    let gates: Vec<usize> = (0..rows.len()).filter(|&place| rows[place].cell.gate && !rows[place].is_one_boot).collect();
    let found: Vec<(usize, Drift)> =
        gates.iter().flat_map(|&place| rows[place].unit_drifts().map(move |drift| (place, drift))).collect();
    let p = holm(&found.iter().map(|(_, drift)| drift.p).collect::<Vec<_>>());
    for ((place, drift), p) in found.iter().zip(p) {
        let row = &mut rows[*place];
        if p >= P_DRIFT || drift.total_ln().abs() <= SHARE_OF_MARGIN * row.cell.margin.ln_1p() {
            continue;
        }
        match order {
            Order::Interleaved if !row.notes.contains(&Note::Drifted) => row.notes.push(Note::Drifted),
            Order::Interleaved => {}
            Order::Stored => {
                let why = format!(
                    "it drifted by {:.1} % over a side's boots: let the machine warm up, or measure with --against",
                    100.0 * drift.total_ln().abs().exp_m1()
                );
                row.cell.outcome = Err(Refusal::Integrity { why });
            }
        }
    }
}

impl PendingRow {
    /// The drift of each side's values; paired, that of their ratio, in which the seeds cancel.
    fn unit_drifts(&self) -> impl Iterator<Item = Drift> + use<> {
        let [baseline, candidate] = &self.values;
        let series: Vec<Vec<f64>> = if self.is_paired {
            vec![baseline.iter().zip(candidate).map(|(baseline, candidate)| candidate / baseline).collect()]
        } else {
            self.values.iter().zip(&self.places).map(|(values, places)| in_order(values, places)).collect()
        };
        series.into_iter().filter_map(|series| Drift::of(&series))
    }
}

fn in_order(values: &[f64], places: &[f64]) -> Vec<f64> {
    let mut both: Vec<(f64, f64)> = places.iter().copied().zip(values.iter().copied()).collect();
    both.sort_by(|left, right| left.0.total_cmp(&right.0));
    both.into_iter().map(|(_, value)| value).collect()
}
