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
fn an_uncertainty_has_two_digits_and_the_unit_of_its_figure() {
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
