//! Properties that hold for arbitrary numbers.

use proptest::prelude::*;

use crate::statistics::{
    abba,
    comparison::{BetterDirection, Comparison, Component, Design, Pairing, Refusal, Side, compare},
    drift::Drift,
    fisher, moments, multiplicity, outliers,
    power::Noise,
    steady,
    student::StudentT,
    variance_components as components,
    verdict::{Cell, Looks, Multiplicity, Options, Rule, Verdict, decide},
};

fn better() -> impl Strategy<Value = BetterDirection> {
    prop_oneof![Just(BetterDirection::Higher), Just(BetterDirection::Lower)]
}

/// Deviations around a level, about 10 % apart at most.
fn side(n: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    (90.0_f64..110.0, prop::collection::vec(-0.05_f64..0.05, n))
        .prop_map(|(level, deviations)| deviations.into_iter().map(|deviation| level * deviation.exp()).collect())
}

fn component() -> impl Strategy<Value = Option<Component>> {
    prop::option::of((0.0_f64..0.03, 1.0_f64..20.0).prop_map(|(sd_ln, df)| Component { sd_ln, df, assumed: false }))
}

/// Two sides and how they are compared.
fn sides() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Design)> {
    let unpaired = (side(3..9), side(3..9), Just(Pairing::Unpaired));
    let paired = (3_usize..9).prop_flat_map(|n| (side(n), side(n), Just(Pairing::BySeed)));
    (prop_oneof![unpaired, paired], better(), component()).prop_map(|((baseline, candidate, pairing), better, occasion)| {
        (baseline, candidate, Design { better, pairing, occasion, boot: None })
    })
}

fn options() -> impl Strategy<Value = Options> {
    let looks = prop_oneof![Just(Looks::One), Just(Looks::Two)];
    let multiplicity = prop_oneof![Just(Multiplicity::BenjaminiHochberg { q: 0.1 }), Just(Multiplicity::Holm)];
    let rule = prop_oneof![Just(Rule::Margin), Just(Rule::BeyondMargin)];
    (looks, multiplicity, rule).prop_map(|(looks, multiplicity, rule)| Options { looks, multiplicity, rule })
}

fn verdicts(outcomes: Vec<Result<Comparison, Refusal>>, options: &Options) -> Vec<Verdict> {
    let cell = |outcome| Cell { outcome, margin: 0.03, gate: true, fails_more: false };
    decide(&outcomes.into_iter().map(cell).collect::<Vec<_>>(), options).iter().map(|decision| decision.verdict).collect()
}

fn verdict(outcome: Result<Comparison, Refusal>, options: &Options) -> Verdict {
    verdicts(vec![outcome], options)[0]
}

/// The strength of a verdict's claim.
fn firmness(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::Regressed | Verdict::Improved | Verdict::Unchanged => 2,
        Verdict::NotWorse => 1,
        Verdict::Inconclusive | Verdict::Insufficient | Verdict::Refused => 0,
    }
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * (1.0 + one.abs())
}

proptest! {
    #[test]
    fn swapping_sides_negates_the_comparison(cells in prop::collection::vec(sides(), 1..8), options in options()) {
        let there: Vec<_> = cells.iter().map(|(b, c, design)| compare(b, c, *design)).collect();
        let back: Vec<_> = cells.iter().map(|(b, c, design)| compare(c, b, *design)).collect();
        for (one, other) in there.iter().zip(&back) {
            let (one, other) = (one.as_ref().unwrap(), other.as_ref().unwrap());
            prop_assert!(near(one.d, -other.d) && near(one.se, other.se) && near(one.df, other.df));
            prop_assert!(near(one.p_regressed, other.p_improved) && near(one.p_improved, other.p_regressed));
        }
        for (one, other) in verdicts(there, &options).into_iter().zip(verdicts(back, &options)) {
            match one {
                Verdict::Regressed => prop_assert_eq!(other, Verdict::Improved),
                Verdict::Improved => prop_assert_eq!(other, Verdict::Regressed),
                Verdict::Unchanged => prop_assert_eq!(other, Verdict::Unchanged),
                _ => prop_assert!(matches!(other, Verdict::NotWorse | Verdict::Inconclusive)),
            }
        }
    }

    #[test]
    fn comparison_is_independent_of_unit_and_order(
        (baseline, candidate, design) in sides(), factor in 1e-6_f64..1e6, turn in 0_usize..8, options in options(),
    ) {
        let before = compare(&baseline, &candidate, design).unwrap();
        let scaled = |side: &[f64]| side.iter().map(|value| value * factor).collect::<Vec<_>>();
        let after = compare(&scaled(&baseline), &scaled(&candidate), design).unwrap();
        prop_assert!((before.d - after.d).abs() < 1e-12 && near(before.se, after.se) && near(before.df, after.df));
        prop_assert_eq!(verdict(Ok(before), &options), verdict(Ok(after), &options));

        let unpaired = Design { pairing: Pairing::Unpaired, ..design };
        let turned = |side: &[f64]| {
            let mut side = side.to_vec();
            side.reverse();
            let turn = turn % side.len();
            side.rotate_left(turn);
            side
        };
        let before = compare(&baseline, &candidate, unpaired);
        prop_assert_eq!(&before, &compare(&turned(&baseline), &candidate, unpaired));
        prop_assert_eq!(&before, &compare(&baseline, &turned(&candidate), unpaired));
        // Pairs may change places, together.
        if design.pairing == Pairing::BySeed {
            let (before, after) = (compare(&baseline, &candidate, design), compare(&turned(&baseline), &turned(&candidate), design));
            let (before, after) = (before.unwrap(), after.unwrap());
            prop_assert!(near(before.d, after.d) && near(before.se, after.se));
        }
    }

    #[test]
    fn more_noise_makes_no_verdict_stronger((baseline, candidate, design) in sides(), factor in 1.0_f64..5.0, options in options()) {
        let noisier = |side: &[f64]| {
            let logarithms = moments::logarithms(side).unwrap();
            let mean = moments::mean(&logarithms).unwrap();
            logarithms.iter().map(|value| (mean + factor * (value - mean)).exp()).collect::<Vec<_>>()
        };
        // A given component would change the degrees of freedom, and with them the quantile.
        let design = Design { occasion: None, ..design };
        let (calm, noisy) = (compare(&baseline, &candidate, design), compare(&noisier(&baseline), &noisier(&candidate), design));
        let (calm, noisy) = (verdict(calm, &options), verdict(noisy, &options));
        prop_assert!(firmness(noisy) <= firmness(calm), "{calm:?} became {noisy:?}");
        prop_assert!(firmness(noisy) < 2 || calm == noisy, "{calm:?} became {noisy:?}");
    }

    #[test]
    fn interval_excludes_0_when_p_is_below_alpha((baseline, candidate, design) in sides()) {
        let comparison = compare(&baseline, &candidate, design).unwrap();
        let interval = comparison.interval(0.05).unwrap();
        let p = comparison.p_regressed.min(comparison.p_improved);
        prop_assert!((p - 0.05).abs() < 1e-9 || (interval.low > 0.0 || interval.high < 0.0) == (p < 0.05));
        prop_assert!(near(comparison.p_regressed + comparison.p_improved, 1.0));
    }

    #[test]
    fn quantiles_of_t_invert_the_tail(ln_df in -2.0_f64..12.0, p in 0.0001_f64..0.9999) {
        let student = StudentT::new(ln_df.exp()).unwrap();
        let t = student.quantile(p).unwrap();
        prop_assert!((student.cdf(t) - p).abs() < 1e-9, "{t}");
        prop_assert!(near(student.sf(t) + student.cdf(t), 1.0));
    }

    #[test]
    fn adjusted_p_keeps_the_order_and_never_decreases(p in prop::collection::vec(0.0_f64..=1.0, 0..20)) {
        for adjusted in [multiplicity::benjamini_hochberg(&p), multiplicity::holm(&p)] {
            prop_assert_eq!(adjusted.len(), p.len());
            for (one, p_one) in adjusted.iter().zip(&p) {
                prop_assert!(*one >= *p_one - 1e-15 && *one <= 1.0);
                for (other, p_other) in adjusted.iter().zip(&p) {
                    prop_assert!(p_one > p_other || one <= other);
                }
            }
        }
    }

    #[test]
    fn comparing_arbitrary_values_does_not_panic(
        baseline in prop::collection::vec(any::<f64>(), 0..8), candidate in prop::collection::vec(any::<f64>(), 0..8),
        positive in any::<bool>(), better in better(), by_seed in any::<bool>(), alpha in any::<f64>(), margin in any::<f64>(),
        sd_ln in any::<f64>(), df in any::<f64>(), options in options(), numbers in (any::<f64>(), any::<f64>(), any::<u32>()),
    ) {
        let side = |side: Vec<f64>| side.into_iter().map(|value| if positive { value.abs() } else { value }).collect::<Vec<_>>();
        let (baseline, candidate) = (side(baseline), side(candidate));
        let pairing = if by_seed { Pairing::BySeed } else { Pairing::Unpaired };
        let component = Component { sd_ln, df, assumed: true };
        for occasion in [None, Some(component)] {
            let outcome = compare(&baseline, &candidate, Design { better, pairing, occasion, boot: occasion });
            if let Ok(comparison) = &outcome {
                prop_assert!([comparison.d, comparison.se, comparison.df, comparison.p_regressed].into_iter().all(f64::is_finite));
                let _ = (comparison.mde80(alpha), comparison.change_interval_percent(alpha));
            }
            let cells = [true, false].map(|gate| Cell { outcome: outcome.clone(), margin, gate, fails_more: by_seed });
            prop_assert_eq!(decide(&cells, &options).len(), 2);
        }
        let noise = Noise { pairing, unit_sd_ln: sd_ln, shared_variance: numbers.0, shared_per_df: numbers.1 };
        let _ = (noise.trials_needed(margin, alpha), noise.is_futile(margin, alpha), noise.mde_ln(numbers.2, alpha));
        let _ = StudentT::new(df).map(|student| (student.quantile(alpha), student.sf(margin), student.cdf(alpha)));
    }

    #[test]
    fn arbitrary_series_do_not_panic(
        series in prop::collection::vec(any::<f64>(), 0..60), r1 in any::<f64>(), costs in any::<[f64; 2]>(), counts in any::<[u32; 4]>(),
    ) {
        let _ = (steady::mser5(&series).map(|mser| mser.steadiness()), steady::lag1_autocorrelation(&series));
        let _ = (steady::effective_size(series.len(), r1), Drift::of(&series).map(|drift| (drift.total_ln(), drift.p)));
        let _ = (outliers::flag_outliers(&series), moments::geometric_mean(&series), moments::sd(&series));
        let _ = (multiplicity::benjamini_hochberg(&series), multiplicity::holm(&series));
        let boots: Vec<Vec<f64>> = series.chunks(3).map(<[f64]>::to_vec).collect();
        let occasions: Vec<Vec<Vec<f64>>> = boots.chunks(2).map(<[Vec<f64>]>::to_vec).collect();
        if let Some(levels) = components::three_levels(&occasions) {
            prop_assert!((1..=3).contains(&components::trials_per_boot(costs[0], costs[1], levels.trial, levels.boot)));
        }
        let _ = components::two_levels(&boots);
        let [ok, failed, other_ok, other_failed] = counts;
        let (one, other) = (fisher::RequestCounts { served: ok, failed }, fisher::RequestCounts { served: other_ok, failed: other_failed });
        prop_assert!(fisher::p_fails_more(one, other).is_none_or(|p| (0.0..=1.0).contains(&p)));
    }

    #[test]
    fn order_is_balanced_and_swaps_with_its_sides(n in 1_u32..40, seed in any::<u64>()) {
        let order = abba::order(n, seed);
        prop_assert_eq!(order.len(), 2 * n as usize);
        prop_assert!(abba::is_balanced(&order), "{:?}", order);
        prop_assert_eq!(&order, &abba::order(n, seed));
        // A straight drift leaves at most one place's worth of itself.
        let places = |side| order.iter().enumerate().filter(|(_, measured)| **measured == side).map(|(place, _)| place).sum::<usize>();
        prop_assert_eq!(places(Side::Baseline).abs_diff(places(Side::Candidate)), (n % 2) as usize);
    }
}
