use super::*;

#[test]
fn many_degrees_of_freedom_give_the_normal_distribution() {
    for df in [1.1e4, 1e6, 1e9, 1e300, f64::INFINITY] {
        let student = StudentT::new(df).unwrap();
        assert!((student.quantile(0.95).unwrap() - 1.644_853_626_951).abs() < 1e-9, "{df}");
    }
    // At the seam they differ by what the doc says.
    let seam = StudentT::new(MAX_DF).unwrap().quantile(0.95).unwrap();
    assert!((seam - 1.644_853_626_951).abs() < 2e-4);
}

#[test]
fn invalid_degrees_of_freedom_or_probability_are_none() {
    for df in [f64::NAN, 0.0, -1.0, 1e-9, f64::NEG_INFINITY] {
        assert_eq!(StudentT::new(df), None, "{df}");
    }
    let student = StudentT::new(4.0).unwrap();
    for p in [0.0, 1.0, -0.1, 1.1, f64::NAN] {
        assert_eq!(student.quantile(p), None, "{p}");
    }
    assert!(student.sf(f64::NAN).is_nan());
    assert_eq!((student.sf(f64::INFINITY), student.sf(f64::NEG_INFINITY), student.sf(0.0)), (0.0, 1.0, 0.5));
    assert_eq!(student.quantile(0.5), Some(0.0));
}

#[test]
fn one_degree_of_freedom_gives_the_cauchy_distribution() {
    let student = StudentT::new(1.0).unwrap();
    for p in [0.6, 0.75, 0.95, 0.999_999] {
        let expected = (std::f64::consts::PI * (p - 0.5)).tan();
        assert!((student.quantile(p).unwrap() / expected - 1.0).abs() < 1e-9, "{p}");
        assert_eq!(student.quantile(1.0 - p).map(f64::signum), Some(-1.0));
    }
}
