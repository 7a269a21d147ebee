//! The power of a measurement: the smallest change that it would detect, and the trials needed to detect a given one.

use super::{pairing::Pairing, student::StudentT};

#[cfg(test)]
mod tests;

/// The share of cases in which the smallest detectable change is found.
pub const POWER: f64 = 0.8;

/// Units per side after the second, last look.
pub const LAST_LOOK_UNITS: u32 = 10;

/// Fewest units per side, as for a comparison.
const FEWEST_UNITS: u32 = 3;

/// Largest number of units per side that is planned.
const MOST_UNITS: u32 = 1000;

/// The noise of a design, from which a number of units can be planned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Whether a unit is a pair.
    pub pairing: Pairing,
    /// The standard deviation of a unit's logarithm (over two sides the root of their mean variance), or of a pair's difference.
    pub unit_sd_ln: f64,
    /// The part of the difference's variance that does not depend on the number of units: `sum 2 s^2`.
    pub shared_variance: f64,
    /// The part that the shared variance adds to the denominator of the degrees of freedom: `sum (2 s^2)^2 / df_s`.
    pub shared_per_df: f64,
}

impl Noise {
    /// The standard error of a difference with `n` units per side, and its degrees of freedom. Of two sides that are alike it is
    /// `sd sqrt(2 / n)` with `2 n - 2`, of pairs `sd / sqrt(n)` with `n - 1`; shared variance adds as in a comparison.
    fn standard_error(&self, n: u32) -> (f64, f64) {
        let n = f64::from(n);
        let (sides, df) = match self.pairing {
            Pairing::Unpaired => (2.0, 2.0 * n - 2.0),
            Pairing::BySeed => (1.0, n - 1.0),
        };
        let own = sides * self.unit_sd_ln.powi(2) / n;
        let variance = own + self.shared_variance;
        (variance.sqrt(), variance.powi(2) / (own.powi(2) / df + self.shared_per_df))
    }

    /// The smallest detectable difference of logarithms with `n` units per side, at one-sided `alpha`.
    #[must_use]
    pub fn mde_ln(&self, n: u32, alpha: f64) -> Option<f64> {
        let (se, df) = self.standard_error(n.max(2));
        mde_ln(se, df, alpha)
    }

    /// The fewest units per side, from 3, with which a change of `margin` (a share) would be found:
    /// `(t_(1-alpha) + t_0.8) se(n) <= ln(1 + margin)`. None if 1000 are not enough, as when what they share is already too much.
    #[must_use]
    pub fn trials_needed(&self, margin: f64, alpha: f64) -> Option<u32> {
        // Quantiles of t lie above the normal ones: an error that is too large for the normal ones is too large.
        let target = margin.ln_1p();
        let most_error = target / mde_ln(1.0, f64::INFINITY, alpha)?;
        self.fewest_units(FEWEST_UNITS, MOST_UNITS, &|error, df| {
            error <= most_error && mde_ln(error, df, alpha).is_some_and(|mde| mde <= target)
        })
    }

    /// The fewest units from `low` to `high` whose error and degrees of freedom suffice. What all units share makes the degrees of freedom
    /// fall while the error falls, so that what sufficed may not do so with more; but a range in which the smallest error would not suffice
    /// with the most degrees of freedom holds nothing.
    fn fewest_units(&self, low: u32, high: u32, suffice: &impl Fn(f64, f64) -> bool) -> Option<u32> {
        let ((most_error, _), (least_error, df)) = (self.standard_error(low), self.standard_error(high));
        if !suffice(least_error, df * (most_error / least_error).powi(4)) {
            return None;
        }
        if low == high {
            return Some(low);
        }
        // Few are enough more often than many.
        let middle = low + (high - low) / 8;
        self.fewest_units(low, middle, suffice).or_else(|| self.fewest_units(middle + 1, high, suffice))
    }

    /// Whether even the last look would miss a change of `margin` too often, so that more boots are not worth their hours.
    #[must_use]
    pub fn is_futile(&self, margin: f64, alpha: f64) -> bool {
        !self.mde_ln(LAST_LOOK_UNITS, alpha).is_some_and(|mde| mde <= margin.ln_1p())
    }
}

/// The smallest difference of logarithms that is found in [`POWER`] of all cases: `(t_(1-alpha, df) + t_(0.8, df)) se`.
///
/// The usual approximation by two central quantiles, a little too large; the exact one needs the non-central t distribution and is 1 %
/// smaller at 3 per side, 0.4 % at 10.
#[must_use]
pub fn mde_ln(se: f64, df: f64, alpha: f64) -> Option<f64> {
    let student = StudentT::new(df)?;
    let mde = (student.quantile(1.0 - alpha)? + student.quantile(POWER)?) * se;
    mde.is_finite().then_some(mde)
}
