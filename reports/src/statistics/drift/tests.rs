use super::*;

/// Values that drift by so much in all, in natural logarithms, around a little noise.
fn drifting(n: i32, total_ln: f64) -> Vec<f64> {
    let noise = |place: i32| 0.0005 * f64::from(place * 7 % 5 - 2);
    (0..n).map(|place| (total_ln * f64::from(place) / f64::from(n - 1) + noise(place)).exp()).collect()
}

#[test]
fn drift_matters_above_half_the_margin() {
    for (total, matters) in [(0.0, false), (0.012, false), (0.02, true), (-0.02, true)] {
        let drift = Drift::of(&drifting(10, total)).unwrap();
        assert!((drift.total_ln() - total).abs() < 0.002, "{total}: {drift:?}");
        assert_eq!(drift.matters(0.03), matters, "{total}");
    }
}

#[test]
fn slope_within_chance_does_not_matter() {
    let drift = Drift::of(&[1.0, 1.3, 0.8, 1.2, 0.9, 1.4]).unwrap();
    assert!(drift.p > 0.3 && drift.total_ln().abs() > 0.03, "{drift:?}");
    assert!(!drift.matters(0.03));
    // One of 20 is chance enough, too.
    let drift = Drift::of(&[1.0, 1.03, 1.01, 1.06, 1.03, 1.07]).unwrap();
    assert!(drift.p > 0.01 && drift.p < 0.1 && drift.total_ln() > 0.03, "{drift:?}");
    assert!(!drift.matters(0.03));
}

#[test]
fn perfect_line_drifts_and_constant_values_do_not() {
    let line = Drift::of(&[1.0, 2.0, 4.0, 8.0]).unwrap();
    assert!((line.slope_ln - 2.0_f64.ln()).abs() < 1e-12 && line.p < 1e-12);
    assert!(line.matters(0.03));
    let flat = Drift::of(&[1.0; 5]).unwrap();
    assert_eq!((flat.slope_ln, flat.p), (0.0, 1.0));
    for values in [&[1.0, 2.0][..], &[1.0, 2.0, 0.0], &[1.0, 2.0, f64::INFINITY], &[]] {
        assert_eq!(Drift::of(values), None, "{values:?}");
    }
}
