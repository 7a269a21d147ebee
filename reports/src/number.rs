//! Numbers as reports print them: few digits, fixed units, the same on every machine.

#[cfg(test)]
mod tests;

/// Digits of a figure.
const FIGURE: usize = 3;

/// Digits of an uncertainty: more would claim to know it better than it is known.
const UNCERTAINTY: usize = 2;

/// From here on a time is printed in seconds: what three digits would round to `1000 ms` is `1.00 s`.
const SECONDS_FROM_NS: f64 = 999.5e6;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A time in nanoseconds, printed as ms or s by its size.
    Time,
    /// A share of 1, printed in percent.
    Share,
    /// A rate or count, printed bare.
    Plain,
}

/// A figure to three significant digits, with its unit.
pub(crate) fn figure(value: f64, unit: Unit) -> String {
    estimate(value, None, unit)
}

/// A figure with the half width of its interval, both in the unit that suits the figure.
pub(crate) fn estimate(value: f64, half_width: Option<f64>, unit: Unit) -> String {
    if !value.is_finite() {
        return if value == f64::INFINITY { "∞".to_owned() } else { "-".to_owned() };
    }
    let (scale, suffix) = match unit {
        Unit::Time if value.abs() < SECONDS_FROM_NS => (1e-6, " ms"),
        Unit::Time => (1e-9, " s"),
        Unit::Share => (100.0, " %"),
        Unit::Plain => (1.0, ""),
    };
    let number = significant(value * scale, FIGURE);
    match half_width.filter(|half| half.is_finite()) {
        Some(half) => format!("{number} ± {}{suffix}", significant(half * scale, UNCERTAINTY)),
        None => format!("{number}{suffix}"),
    }
}

/// A finite number to so many significant digits, never in scientific notation.
fn significant(value: f64, digits: usize) -> String {
    let rounded = format!("{value:.*e}", digits - 1);
    let exponent = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    let last_digit = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent;
    let decimals = usize::try_from(last_digit).unwrap_or(0);
    // Rounded first: printed with no decimals, 12345 would keep all five digits.
    let value = rounded.parse::<f64>().unwrap_or(value);
    if value == 0.0 { "0".to_owned() } else { format!("{value:.decimals$}") }
}
