use super::*;

const BASELINE: [f64; 5] = [198.2, 201.5, 199.0, 203.3, 200.1];
const CANDIDATE: [f64; 5] = [205.0, 208.2, 204.1, 207.7, 206.4];

fn refused(baseline: &[f64], candidate: &[f64], design: Design) -> String {
    compare(baseline, candidate, design).unwrap_err().to_string()
}

#[test]
fn incomparable_values_are_refused_with_a_reason() {
    let (lower, higher) = (Design::new(BetterDirection::Lower), Design::new(BetterDirection::Higher));
    let paired = Design { pairing: Pairing::BySeed, ..lower };
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let broken = Design { occasion: Some(Component { sd_ln: nan, df: 3.0, assumed: false }), ..lower };
    let texts = [
        refused(&BASELINE[..2], &CANDIDATE, lower),
        refused(&BASELINE, &[], lower),
        refused(&BASELINE, &[1.0, nan, 2.0], lower),
        refused(&[1.0, 0.0, 2.0], &CANDIDATE, lower),
        // A rate is never +inf, and a baseline of failures is none.
        refused(&BASELINE, &[1.0, 2.0, inf], higher),
        refused(&[1.0, 2.0, inf], &CANDIDATE, lower),
        refused(&BASELINE, &[1.0, 2.0, inf], lower),
        refused(&BASELINE, &CANDIDATE[..4], paired),
        refused(&[5.0; 4], &[6.0; 3], lower),
        refused(&BASELINE, &BASELINE.map(|value| 1.1 * value), paired),
        refused(&BASELINE, &CANDIDATE, broken),
    ];
    insta::assert_snapshot!(texts.join("\n"), @"
    the baseline has 2 values, and a verdict needs 3 on each side: run more boots
    the candidate has 0 values, and a verdict needs 3 on each side: run more boots
    value 1 of the candidate is NaN, and only finite values above 0 can be compared: look at that trial
    value 1 of the baseline is 0, and only finite values above 0 can be compared: look at that trial
    value 2 of the candidate is inf, and only finite values above 0 can be compared: look at that trial
    value 2 of the baseline is inf, and only finite values above 0 can be compared: look at that trial
    a percentile of the candidate fell among failed requests, and none of the baseline did: read its failures
    5 values of the baseline and 4 of the candidate are no pairs: measure both with the same seeds
    the values of each side are identical (or, paired, differ by the same): cached or synthetic?
    the values of each side are identical (or, paired, differ by the same): cached or synthetic?
    a standard deviation of NaN with 3 degrees of freedom is none: calibrate again
    ");
}

#[test]
fn identical_values_are_refused_even_when_occasions_differ() {
    let stored = Design { occasion: Some(Component::ASSUMED), ..Design::new(BetterDirection::Lower) };
    assert_eq!(compare(&[5.0; 3], &[6.0; 3], stored), Err(Refusal::NoSpread));
    // One side's spread is enough.
    assert!(compare(&[5.0; 3], &[6.0, 6.1, 6.2], stored).is_ok());
}

#[test]
fn change_has_the_sign_of_the_metric() {
    let lower = compare(&BASELINE, &CANDIDATE, Design::new(BetterDirection::Lower)).unwrap();
    let higher = compare(&BASELINE, &CANDIDATE, Design::new(BetterDirection::Higher)).unwrap();
    assert!(lower.d > 0.0 && higher.d < 0.0);
    assert!((lower.change_percent() - 2.9).abs() < 0.1 && (lower.change_percent() - higher.change_percent()).abs() < 1e-9);
    let (one, other) = (lower.change_interval_percent(0.05).unwrap(), higher.change_interval_percent(0.05).unwrap());
    assert!((one.low - other.low).abs() < 1e-9 && (one.high - other.high).abs() < 1e-9);
    assert!(one.low < lower.change_percent() && lower.change_percent() < one.high);
    // Two looks ask for a wider interval.
    assert!(lower.interval(0.0304).unwrap().low < lower.interval(0.05).unwrap().low);
    for alpha in [0.0, 0.5, 1.0, f64::NAN] {
        assert_eq!(lower.interval(alpha), None, "{alpha}");
    }
}

#[test]
fn shared_components_are_added_twice() {
    let plain = compare(&BASELINE, &CANDIDATE, Design::new(BetterDirection::Lower)).unwrap();
    let sound = Component { sd_ln: 0.007, df: 4.0, assumed: false };
    let both = Design { occasion: Some(sound), boot: Some(Component::ASSUMED), ..plain.design };
    let added = compare(&BASELINE, &CANDIDATE, both).unwrap();
    let extra = [(2.0 * 0.007_f64.powi(2), 4.0), (2.0 * 0.01_f64.powi(2), 3.0)];
    let variance = plain.se.powi(2) + extra[0].0 + extra[1].0;
    let per_df = plain.se.powi(4) / plain.df + extra.map(|(v, df)| v * v / df).iter().sum::<f64>();
    assert!((added.se - variance.sqrt()).abs() < 1e-15);
    assert!((added.df - variance.powi(2) / per_df).abs() < 1e-9);
    // A calibrated component of 0 changes nothing.
    let none = Design { occasion: Some(Component { sd_ln: 0.0, df: 1.0, assumed: false }), ..plain.design };
    let same = compare(&BASELINE, &CANDIDATE, none).unwrap();
    assert_eq!((same.se, same.df, same.d), (plain.se, plain.df, added.d));
}
