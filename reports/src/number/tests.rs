use super::*;

#[test]
fn figures_have_three_digits() {
    let table = [
        (0.0, Unit::Plain, "0"),
        (-0.0, Unit::Plain, "0"),
        (0.000_012_34, Unit::Plain, "0.0000123"),
        (0.5, Unit::Plain, "0.500"),
        (0.999_6, Unit::Plain, "1.00"),
        (9.995_1, Unit::Plain, "10.0"),
        (23.88, Unit::Plain, "23.9"),
        (-23.88, Unit::Plain, "-23.9"),
        (999.6, Unit::Plain, "1000"),
        (12_345.0, Unit::Plain, "12300"),
        (1e9, Unit::Plain, "1000000000"),
        (0.123_4, Unit::Share, "12.3 %"),
        (1.0, Unit::Share, "100 %"),
        (41_200_000.0, Unit::Time, "41.2 ms"),
        (123.0, Unit::Time, "0.000123 ms"),
        (999.4e6, Unit::Time, "999 ms"),
        (999.6e6, Unit::Time, "1.00 s"),
        (65.43e9, Unit::Time, "65.4 s"),
        (1234.0e9, Unit::Time, "1230 s"),
        (f64::INFINITY, Unit::Time, "∞"),
        (f64::NEG_INFINITY, Unit::Time, "-"),
        (f64::NAN, Unit::Plain, "-"),
    ];
    for (value, unit, expected) in table {
        assert_eq!(figure(value, unit), expected, "{value}");
    }
}

#[test]
fn uncertainty_has_two_digits_and_the_unit_of_its_figure() {
    let table = [
        (412e6, Some(8.12e6), Unit::Time, "412 ± 8.1 ms"),
        (1.2e9, Some(81.2e6), Unit::Time, "1.20 ± 0.081 s"),
        (23.9, Some(0.0), Unit::Plain, "23.9 ± 0"),
        (23.9, Some(120.0), Unit::Plain, "23.9 ± 120"),
        (0.98, Some(0.012), Unit::Share, "98.0 ± 1.2 %"),
        (23.9, None, Unit::Plain, "23.9"),
        (23.9, Some(f64::NAN), Unit::Plain, "23.9"),
        (f64::INFINITY, Some(1.0), Unit::Plain, "∞"),
    ];
    for (value, half_width, unit, expected) in table {
        assert_eq!(estimate(value, half_width, unit), expected, "{value}");
    }
}

#[test]
fn change_has_one_digit_of_its_uncertainty() {
    let table = [
        (-4.31, Some((-5.02, -3.59)), "-4.3 % [-5.0, -3.6]"),
        (0.02, Some((-0.06, 0.11)), "+0.02 % [-0.06, +0.11]"),
        (-0.0004, Some((-0.0021, 0.0013)), "0.000 % [-0.002, +0.001]"),
        (12.3, Some((2.0, 23.9)), "+12.3 % [+2.0, +23.9]"),
        (51.2, Some((-20.6, 131.4)), "+51 % [-21, +131]"),
        (-3.0, None, "-3.0 %"),
        (0.0, Some((0.0, 0.0)), "0.0 % [0.0, 0.0]"),
        (-0.04, None, "0.0 %"),
        (9.9, Some((-80.0, f64::INFINITY)), "+9.9 % [-80.0, +∞]"),
        (f64::NAN, None, "- %"),
    ];
    for (percent, interval, expected) in table {
        assert_eq!(change(percent, interval), expected);
    }
}

#[test]
fn probability_has_three_decimals() {
    let table = [(0.0, "<0.001"), (0.000_999, "<0.001"), (0.001, "0.001"), (0.043_9, "0.044"), (1.0, "1.000"), (f64::NAN, "-")];
    for (p, expected) in table {
        assert_eq!(probability(p), expected);
    }
}

#[test]
fn chosen_share_drops_trailing_zeros_and_spread_has_two_digits() {
    for (share, expected) in [(0.03, "3 %"), (0.025, "2.5 %"), (0.1, "10 %"), (1.0, "100 %"), (0.000_4, "0.04 %")] {
        assert_eq!(chosen(share), expected);
    }
    for (percent, expected) in [(0.523, "0.52 %"), (1.06, "1.1 %"), (12.7, "13 %"), (0.0, "0 %"), (f64::NAN, "-")] {
        assert_eq!(spread(percent), expected);
    }
}
