use super::*;

#[test]
fn values_without_spread_or_with_nan_have_no_outliers() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for values in [&[][..], &[1.0], &[2.0, 2.0, 2.0, 9.0], &[1.0, nan, 2.0], &[1.0, 2.0, inf]] {
        assert_eq!(modified_z(values), None, "{values:?}");
        assert_eq!(flag_outliers(values), vec![false; values.len()]);
    }
}

#[test]
fn value_far_off_on_either_side_is_an_outlier() {
    assert_eq!(flag_outliers(&[10.0, 11.0, 12.0, 13.0, 30.0, -9.0]), [false, false, false, false, true, true]);
}
