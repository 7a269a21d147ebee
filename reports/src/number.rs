//! Formats numbers for reports: few digits, fixed units, the same on every machine.

#[cfg(test)]
mod tests;

/// Significant digits of a figure.
const FIGURE_DIGITS: usize = 3;

/// Significant digits of an uncertainty.
const UNCERTAINTY_DIGITS: usize = 2;

/// From here on a time is printed in seconds: what three digits would round to `1000 ms` is `1.00 s`.
const SECONDS_FROM_NS: f64 = 999.5e6;

/// How a figure is scaled and printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
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
    let number = significant(value * scale, FIGURE_DIGITS);
    match half_width.filter(|half| half.is_finite()) {
        Some(half) => format!("{number} ± {}{suffix}", significant(half * scale, UNCERTAINTY_DIGITS)),
        None => format!("{number}{suffix}"),
    }
}

/// A finite number to so many significant digits, never in scientific notation.
fn significant(value: f64, digits: usize) -> String {
    let rounded = format!("{value:.*e}", digits - 1);
    let last_digit = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent(&rounded);
    let decimals = usize::try_from(last_digit).unwrap_or(0);
    // Rounded first: printed with no decimals, 12345 would keep all five digits.
    let value = rounded.parse::<f64>().unwrap_or(value);
    if value == 0.0 { "0".to_owned() } else { format!("{value:.decimals$}") }
}

/// The exponent of a number in scientific notation.
fn exponent(scientific: &str) -> i32 {
    scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

/// A change in percent with its interval, all with the same decimals: one digit of the interval's half width, but from 1 to 3.
pub(crate) fn change(percent: f64, interval: Option<(f64, f64)>) -> String {
    let half_width = interval.map(|(low, high)| (high - low) / 2.0).filter(|half| half.is_finite() && *half > 0.0);
    let decimals = half_width.map_or(1, |half| -exponent(&format!("{half:.0e}"))).clamp(1, 3);
    let all = [Some(percent), interval.map(|bounds| bounds.0), interval.map(|bounds| bounds.1)];
    let is_wide = all.into_iter().flatten().any(|value| value.is_finite() && value.abs() >= 99.95);
    let decimals = if is_wide { 0 } else { usize::try_from(decimals).unwrap_or(1) };
    let number = |value: f64| signed(value, decimals);
    match interval {
        Some((low, high)) => format!("{} % [{}, {}]", number(percent), number(low), number(high)),
        None => format!("{} %", number(percent)),
    }
}

/// A probability, or an adjusted one, to three decimals; `<0.001` below them.
pub(crate) fn probability(p: f64) -> String {
    match p {
        _ if p.is_nan() => "-".to_owned(),
        _ if p < 0.001 => "<0.001".to_owned(),
        _ => format!("{p:.3}"),
    }
}

/// A share that is a setting, in percent without trailing zeros: `3 %`, `2.5 %`.
pub(crate) fn chosen(share: f64) -> String {
    let number = significant(share * 100.0, FIGURE_DIGITS);
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    format!("{number} %")
}

/// A long time in words, from seconds to days: `45.0 s`, `12 min`, `9 h 58 min`.
pub(crate) fn duration(ns: u64) -> String {
    const MINUTE_S: u64 = 60;
    const HOUR_S: u64 = 60 * MINUTE_S;
    if ns < 100 * 1_000_000_000 {
        return figure(ns as f64, Unit::Time);
    }
    let minutes = (ns / 1_000_000_000 + MINUTE_S / 2) / MINUTE_S;
    match (minutes * MINUTE_S / HOUR_S, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Percent with the digits of an uncertainty, such as a coefficient of variation.
pub(crate) fn spread(percent: f64) -> String {
    if percent.is_finite() { format!("{} %", significant(percent, UNCERTAINTY_DIGITS)) } else { "-".to_owned() }
}

/// With its sign; zero has none.
fn signed(value: f64, decimals: usize) -> String {
    match value {
        _ if value.is_nan() => return "-".to_owned(),
        f64::INFINITY => return "+∞".to_owned(),
        f64::NEG_INFINITY => return "-∞".to_owned(),
        _ => {}
    }
    let text = format!("{value:+.decimals$}");
    if text.contains(|c: char| ('1'..='9').contains(&c)) { text } else { text[1..].to_owned() }
}
