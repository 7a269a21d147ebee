//! Quantiles of type 7 (Hyndman and Fan, *Sample Quantiles in Statistical Packages*, 1996; numpy's `linear`), with room for +inf.

#[cfg(test)]
mod tests;

/// Fewest requests from which a one-sided 95 % bound for the 95th percentile exists: the smallest n with `0.95^n <= 0.05`.
pub const REQUESTS_FOR_P95: usize = 59;

/// Fewest requests for the 99th percentile: the smallest n with `0.99^n <= 0.05`.
pub const REQUESTS_FOR_P99: usize = 299;

/// Positions this close to a whole one are that one: `(n - 1) q` is not exact, and beside a +inf the difference would show.
const WHOLE_TOLERANCE: f64 = 1e-9;

/// Values in ascending order, each with how often it occurs.
///
/// Failed requests are +inf, so a quantile that falls among them, or between a finite value and them, is +inf.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SortedSample {
    values: Vec<(f64, u32)>,
    count: u64,
}

impl SortedSample {
    /// Sorts values that occur as often as they say. Those that occur 0 times vanish.
    #[must_use]
    pub fn weighted(mut values: Vec<(f64, u32)>) -> Self {
        values.retain(|&(_, times)| times > 0);
        values.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let count = values.iter().map(|&(_, times)| u64::from(times)).sum();
        Self { values, count }
    }

    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The largest; none of nothing.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.values.last().map(|&(value, _)| value)
    }

    /// The quantile `q` (0 to 1) of type 7: linear between the two values around position `(n - 1) q`. None of nothing.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the position lies between 0 and the count")]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let last = self.count.checked_sub(1)?;
        let position = last as f64 * q.clamp(0.0, 1.0);
        let below = position.floor() as u64;
        let part = position - position.floor();
        if part < WHOLE_TOLERANCE {
            return self.nth(below);
        }
        let (low, high) = (self.nth(below)?, self.nth((below + 1).min(last))?);
        if part > 1.0 - WHOLE_TOLERANCE || high.is_infinite() {
            return Some(high);
        }
        Some(low + part * (high - low))
    }

    /// The value at a place of the expanded series, from 0.
    fn nth(&self, place: u64) -> Option<f64> {
        let mut seen = 0;
        self.values.iter().find_map(|&(value, times)| {
            seen += u64::from(times);
            (place < seen).then_some(value)
        })
    }
}

impl FromIterator<f64> for SortedSample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self::weighted(values.into_iter().map(|value| (value, 1)).collect())
    }
}
