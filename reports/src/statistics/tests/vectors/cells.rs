//! Reference values of comparisons and family decisions.

use serde_json::json;

use super::{Case, numbers, reference_methods};
use crate::statistics::{
    comparison::{BetterDirection, Comparison, Component, Design, Pairing, Refusal, Spread, compare},
    multiplicity::{benjamini_hochberg, holm},
    power::{self, Noise},
    student::StudentT,
    verdict::{ALPHA, ALPHA_OF_TWO, Cell, Options, Verdict, decide},
};

fn better(case: &Case<'_>) -> BetterDirection {
    if case.input["higher_is_better"] == true { BetterDirection::Higher } else { BetterDirection::Lower }
}

fn ends(comparison: &Comparison, alpha: f64) -> [f64; 2] {
    let interval = comparison.interval(alpha).unwrap();
    [interval.low, interval.high]
}

fn two_sided(comparison: &Comparison) -> f64 {
    2.0 * comparison.p_regressed.min(comparison.p_improved)
}

fn judged(comparison: Comparison, margin: f64) -> Verdict {
    let cell = Cell { outcome: Ok(comparison), margin, gate: true, fails_more: false };
    decide(&[cell], &Options::default())[0].verdict
}

pub(super) fn welch(case: &mut Case<'_>) {
    let design = Design::new(better(case));
    let comparison = compare(&case.numbers("baseline"), &case.numbers("candidate"), design).unwrap();
    let (margin, alpha) = (case.number("margin"), case.number("alpha_one_sided"));
    let percent = |ends: [f64; 2]| ends.map(|end| 100.0 * end.exp_m1());
    case.check("native_change", json!(comparison.change_percent() / 100.0));
    case.check("d_worse_log", json!(comparison.d));
    case.check("se", json!(comparison.se));
    case.check("df", json!(comparison.df));
    case.check("t", json!(comparison.d / comparison.se));
    case.check("p_regress", json!(comparison.p_regressed));
    case.check("p_improve", json!(comparison.p_improved));
    case.check("p_two_sided", json!(two_sided(&comparison)));
    case.check("ci90_log", json!(ends(&comparison, alpha)));
    case.check("ci90_worse_pct", json!(percent(ends(&comparison, alpha))));
    case.check("ci95_log", json!(ends(&comparison, 0.025)));
    case.check("mde_log_80", json!(comparison.mde80(alpha).unwrap().ln_1p()));
    case.check("mde_pct_80", json!(100.0 * comparison.mde80(alpha).unwrap()));
    case.check("verdict_unadjusted", json!(judged(comparison, margin)));
}

pub(super) fn degenerate(case: &mut Case<'_>) {
    let (baseline, candidate) = (case.numbers("baseline"), case.numbers("candidate"));
    let outcome = compare(&baseline, &candidate, Design::new(BetterDirection::Lower));
    assert_eq!(outcome, Err(Refusal::NoSpread));
    let cell = Cell { outcome, margin: 0.03, gate: true, fails_more: false };
    let decision = decide(&[cell], &Options::default()).remove(0);
    case.check("se", json!(Spread::welch(&baseline, &candidate).unwrap().variance.sqrt()));
    case.check("verdict", json!(decision.verdict));
    // The reason is said in our own words.
    assert_eq!(decision.refusal, Some(Refusal::NoSpread));
    case.check("reason", case.expected["reason"].clone());
}

pub(super) fn welch_raw(case: &mut Case<'_>) {
    let spread = Spread::welch(&case.numbers("a"), &case.numbers("b")).unwrap();
    let (se, df) = (spread.variance.sqrt(), spread.variance.powi(2) / spread.per_df);
    case.check("diff", json!(spread.difference));
    case.check("se", json!(se));
    case.check("df", json!(df));
    case.check("p_two_sided", json!(2.0 * StudentT::new(df).unwrap().sf(spread.difference.abs() / se)));
}

pub(super) fn paired(case: &mut Case<'_>) {
    let design = Design { pairing: Pairing::BySeed, ..Design::new(better(case)) };
    let comparison = compare(&case.numbers("baseline_by_seed"), &case.numbers("candidate_by_seed"), design).unwrap();
    case.check("d_worse_log", json!(comparison.d));
    case.check("se", json!(comparison.se));
    case.check("df", json!(comparison.df));
    case.check("p_regress", json!(comparison.p_regressed));
    case.check("p_two_sided", json!(two_sided(&comparison)));
    case.check("ci90_log", json!(ends(&comparison, ALPHA)));
}

pub(super) fn stored_baseline(case: &mut Case<'_>) {
    let component = Component { sd_ln: case.number("sigma_session_log"), df: case.number("df_session"), assumed: false };
    let design = Design { occasion: Some(component), ..Design::new(better(case)) };
    let comparison = compare(&case.numbers("baseline"), &case.numbers("candidate"), design).unwrap();
    case.check("d_worse_log", json!(comparison.d));
    case.check("se", json!(comparison.se));
    case.check("df", json!(comparison.df));
    case.check("p_regress", json!(comparison.p_regressed));
    case.check("ci90_log", json!(ends(&comparison, ALPHA)));
}

pub(super) fn adjust(case: &mut Case<'_>) {
    let p = case.numbers("p");
    let adjusted = match case.input["method"].as_str().unwrap() {
        "holm" => holm(&p),
        "fdr_bh" => benjamini_hochberg(&p),
        "bonferroni" => reference_methods::bonferroni(&p),
        other => panic!("{other}?"),
    };
    case.check("adjusted", json!(adjusted));
}

pub(super) fn adjust_both(case: &mut Case<'_>) {
    let p = case.numbers("p");
    case.check("holm", json!(holm(&p)));
    case.check("bh", json!(benjamini_hochberg(&p)));
}

/// A comparison with only the fields that the rule for regressions reads.
fn known(p_regressed: f64, d: f64) -> Comparison {
    let noise = Noise { pairing: Pairing::Unpaired, unit_sd_ln: 0.02, shared_variance: 0.0, shared_per_df: 0.0 };
    let design = Design::new(BetterDirection::Lower);
    let p_improved = 1.0 - p_regressed;
    Comparison { design, d, se: 0.02, df: 8.0, p_regressed, p_improved, noise }
}

pub(super) fn family(case: &mut Case<'_>) {
    let options = Options::default();
    assert_eq!((case.number("bh_q"), case.number("alpha")), (0.10, options.looks.alpha()));
    let cell = |cell: &serde_json::Value| {
        let [p, d, margin] = ["p_regress", "d_worse_log", "margin"].map(|key| cell[key].as_f64().unwrap());
        Cell { outcome: Ok(known(p, d)), margin, gate: true, fails_more: false }
    };
    let cells: Vec<Cell> = case.input["cells"].as_array().unwrap().iter().map(cell).collect();
    let decisions = decide(&cells, &options);
    case.check("q_values", json!(decisions.iter().map(|decision| decision.q_regressed).collect::<Vec<_>>()));
    case.check("regressed", json!(decisions.iter().map(|decision| decision.verdict == Verdict::Regressed).collect::<Vec<_>>()));
}

pub(super) fn student(case: &mut Case<'_>) {
    let curves: Vec<StudentT> = case.numbers("df").into_iter().map(|df| StudentT::new(df).unwrap()).collect();
    let quantiles = |p: f64| curves.iter().map(|curve| curve.quantile(p).unwrap()).collect::<Vec<_>>();
    case.check("ppf", json!(quantiles(case.number("p"))));
    case.check("ppf_975", json!(quantiles(0.975)));
    case.check("sf_2.5", json!(curves.iter().map(|curve| curve.sf(2.5)).collect::<Vec<_>>()));
}

fn independent(sd_ln: f64) -> Noise {
    Noise { pairing: Pairing::Unpaired, unit_sd_ln: sd_ln, shared_variance: 0.0, shared_per_df: 0.0 }
}

pub(super) fn mde(case: &mut Case<'_>) {
    let n = u32::try_from(case.input["n_per_side"].as_u64().unwrap()).unwrap();
    let (sd, alpha) = (case.number("sd_log"), case.number("alpha_one_sided"));
    assert_eq!(case.input["power"], json!(power::POWER));
    let approximate = independent(sd).mde_ln(n, alpha).unwrap();
    let exact = reference_methods::exact_mde_ln(n, sd, alpha);
    case.check("approx_log", json!(approximate));
    case.check("exact_noncentral_t_log", json!(exact));
    assert!(exact < approximate && approximate < 1.012 * exact, "{approximate} for {exact}");
}

pub(super) fn trials_needed(case: &mut Case<'_>) {
    let cases: Vec<Vec<f64>> = case.input["cases_sd_margin"].as_array().unwrap().iter().map(numbers).collect();
    let needed = cases.iter().map(|case| independent(case[0]).trials_needed(case[1], ALPHA));
    case.check("n_per_side", json!(needed.collect::<Vec<_>>()));
}

pub(super) fn pocock(case: &mut Case<'_>) {
    assert_eq!((case.number("overall_one_sided"), case.number("looks")), (ALPHA, 2.0));
    case.check("alpha_per_look", json!(ALPHA_OF_TWO));
    let overall = reference_methods::chance_of_two_looks(ALPHA_OF_TWO);
    assert!((overall - ALPHA).abs() < 1e-4, "{overall}");
}
