use super::*;
use crate::statistics::comparison::{BetterDirection, Component, Design, Pairing, Side, compare};
use crate::statistics::power::Noise;

/// A comparison with that difference and standard error, with 8 degrees of freedom: t is 1.86 at 5 %.
fn found(d: f64, se: f64) -> Comparison {
    let student = crate::statistics::student::StudentT::new(8.0).unwrap();
    let noise = Noise { pairing: Pairing::Unpaired, unit_sd_ln: se * 2.5_f64.sqrt(), shared_variance: 0.0, shared_per_df: 0.0 };
    let (p_regressed, p_improved) = (student.sf(d / se), student.cdf(d / se));
    let design = Design::new(BetterDirection::Lower);
    Comparison { design, d, se, df: 8.0, p_regressed, p_improved, noise }
}

fn cell(outcome: Result<Comparison, Refusal>) -> Cell {
    Cell { outcome, margin: 0.03, gate: true, fails_more: false }
}

fn alone(cell: Cell, options: &Options) -> Decision {
    decide(&[cell], options).remove(0)
}

fn judged(d: f64, se: f64, options: &Options) -> (Verdict, Vec<Note>) {
    let decision = alone(cell(Ok(found(d, se))), options);
    (decision.verdict, decision.notes)
}

#[test]
fn verdict_follows_from_interval_and_margin() {
    let table = [
        (0.050, 0.010, Verdict::Regressed, vec![]),
        (-0.050, 0.010, Verdict::Improved, vec![]),
        (0.000, 0.010, Verdict::Unchanged, vec![]),
        (0.010, 0.004, Verdict::Unchanged, vec![Note::DetectableBelowMargin]),
        (-0.010, 0.004, Verdict::Unchanged, vec![Note::DetectableBelowMargin]),
        // Better, perhaps by the margin: improvement is neither shown nor excluded.
        (-0.020, 0.010, Verdict::NotWorse, vec![]),
        // Worse beyond chance, and not by the margin; by the margin, and not beyond chance.
        (0.028, 0.010, Verdict::Inconclusive, vec![]),
        (0.040, 0.025, Verdict::Inconclusive, vec![]),
        (0.000, 0.030, Verdict::Inconclusive, vec![]),
    ];
    for (d, se, verdict, notes) in table {
        assert_eq!(judged(d, se, &Options::default()), (verdict, notes), "{d} {se}");
    }
}

#[test]
fn beyond_margin_rule_requires_the_whole_interval() {
    let strict = Options { rule: Rule::BeyondMargin, ..Options::default() };
    assert_eq!(judged(0.040, 0.010, &strict), (Verdict::Inconclusive, vec![Note::SuspectedRegression]));
    assert_eq!(judged(0.060, 0.010, &strict).0, Verdict::Regressed);
    assert_eq!(judged(-0.040, 0.010, &strict).0, Verdict::NotWorse);
    assert_eq!(judged(-0.060, 0.010, &strict).0, Verdict::Improved);
}

#[test]
fn two_looks_lower_the_alpha_of_each() {
    // t = 2: p = 0.040.
    let two = Options { looks: Looks::Two, ..Options::default() };
    assert_eq!(judged(0.040, 0.020, &Options::default()).0, Verdict::Regressed);
    assert_eq!(judged(0.040, 0.020, &two), (Verdict::Inconclusive, vec![]));
}

#[test]
fn large_family_turns_a_regression_into_a_suspicion() {
    // p = 0.040 among ten: q = 0.40.
    let mut cells = vec![cell(Ok(found(0.0, 0.005))); 9];
    cells.push(cell(Ok(found(0.040, 0.020))));
    let last = decide(&cells, &Options::default()).pop().unwrap();
    assert_eq!((last.verdict, last.notes), (Verdict::Inconclusive, vec![Note::SuspectedRegression]));
    assert!((last.q_regressed.unwrap() - 10.0 * found(0.040, 0.020).p_regressed).abs() < 1e-12);
    // Outside the gate it is judged by itself, and widens no family.
    cells[9].gate = false;
    let last = decide(&cells, &Options::default()).pop().unwrap();
    assert_eq!((last.verdict, last.gate, last.q_regressed), (Verdict::Regressed, false, None));
}

#[test]
fn refused_cell_stays_in_the_family() {
    let suspect = cell(Ok(found(0.040, 0.020)));
    let refused = cell(Err(Refusal::NoSpread));
    assert_eq!(decide(&[suspect.clone(), suspect.clone()], &Options::default())[0].verdict, Verdict::Regressed);
    let decisions = decide(&[suspect, refused.clone(), refused], &Options::default());
    assert_eq!(decisions[0].verdict, Verdict::Inconclusive);
    assert_eq!((decisions[1].verdict, decisions[1].q_regressed), (Verdict::Refused, None));
    assert_eq!(decisions[1].refusal, Some(Refusal::NoSpread));
}

#[test]
fn holm_p_is_compared_with_alpha() {
    let holm = Options { multiplicity: Multiplicity::Holm, ..Options::default() };
    // p = 0.0286 twice: q = 0.0286 is fine, Holm has 0.057.
    let cells = vec![cell(Ok(found(0.040, 0.018))); 2];
    assert_eq!(decide(&cells, &Options::default())[0].verdict, Verdict::Regressed);
    assert_eq!(decide(&cells, &holm)[0].verdict, Verdict::Inconclusive);
    assert_eq!(judged(0.040, 0.018, &holm).0, Verdict::Regressed);
}

#[test]
fn one_boot_can_regress_and_not_improve() {
    let design =
        Design { boot: Some(Component { sd_ln: 0.002, df: 9.0, assumed: false }), ..Design::new(BetterDirection::Lower) };
    let slow = [110.0, 110.3, 109.8, 110.1, 109.9];
    let fast = slow.map(|value| value / 1.1);
    let decide_on = |baseline, candidate| alone(cell(compare(baseline, candidate, design)), &Options::default());
    assert_eq!(decide_on(&fast, &slow).verdict, Verdict::Regressed);
    let withheld = decide_on(&slow, &fast);
    assert_eq!((withheld.verdict, withheld.notes), (Verdict::NotWorse, vec![Note::ImprovementWithheld]));
}

#[test]
fn more_failures_regress_with_and_without_a_comparison() {
    let failing = |outcome| alone(Cell { fails_more: true, ..cell(outcome) }, &Options::default());
    let quick = failing(Ok(found(-0.05, 0.01)));
    assert_eq!((quick.verdict, quick.notes), (Verdict::Regressed, vec![Note::FailsMore]));
    let unbounded = failing(Err(Refusal::CandidateUnbounded));
    assert_eq!((unbounded.verdict, unbounded.notes), (Verdict::Regressed, vec![Note::FailsMore, Note::Unbounded]));
    let few = failing(Err(Refusal::TooFew { side: Side::Candidate, n: 0 }));
    assert_eq!((few.verdict, few.notes, few.refusal.is_some()), (Verdict::Regressed, vec![Note::FailsMore], true));
}

#[test]
fn incomparable_cell_keeps_its_refusal() {
    let of = |outcome| alone(cell(outcome), &Options::default());
    let few = Refusal::TooFew { side: Side::Candidate, n: 2 };
    let decision = of(Err(few.clone()));
    assert_eq!((decision.verdict, decision.refusal), (Verdict::Insufficient, Some(few)));
    let integrity = Refusal::Integrity { why: "the weights differ".to_owned() };
    assert_eq!(of(Err(integrity.clone())).refusal, Some(integrity));
    for margin in [0.0, -0.1, -1.0, f64::NAN, f64::INFINITY] {
        let decision = alone(Cell { margin, ..cell(Ok(found(0.0, 0.01))) }, &Options::default());
        assert_eq!(decision.verdict, Verdict::Refused, "{margin}");
    }
}

#[test]
fn inconclusive_cell_has_the_trials_needed() {
    let decision = alone(cell(Ok(found(0.0, 0.02))), &Options::default());
    let needed = decision.trials_needed.unwrap();
    assert_eq!(decision.verdict, Verdict::Inconclusive);
    assert!(needed > 5 && found(0.0, 0.02).noise.mde_ln(needed, ALPHA).unwrap() <= 0.03_f64.ln_1p(), "{needed}");
    assert_eq!(alone(cell(Ok(found(0.0, 0.01))), &Options::default()).trials_needed, None);
}

#[test]
fn only_improved_unchanged_and_not_worse_pass() {
    let passing = [Verdict::Improved, Verdict::Unchanged, Verdict::NotWorse];
    let all = [Verdict::Refused, Verdict::Insufficient, Verdict::Regressed, Verdict::Inconclusive];
    assert!(passing.into_iter().all(Verdict::passes) && !all.into_iter().any(Verdict::passes));
}
