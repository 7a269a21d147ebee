use super::*;

#[test]
fn nothing_is_said_where_there_is_no_spread_or_a_value_is_none() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for values in [&[][..], &[1.0], &[2.0, 2.0, 2.0, 9.0], &[1.0, nan, 2.0], &[1.0, 2.0, inf]] {
        assert_eq!(modified_z(values), None, "{values:?}");
        assert_eq!(stand_out(values), vec![false; values.len()]);
    }
}

#[test]
fn a_value_far_off_on_either_side_stands_out() {
    assert_eq!(stand_out(&[10.0, 11.0, 12.0, 13.0, 30.0, -9.0]), [false, false, false, false, true, true]);
}
