//! Student's t distribution (Student, *The probable error of a mean*, 1908), with any positive degrees of freedom.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

#[cfg(test)]
mod tests;

/// Beyond so many degrees of freedom the distribution is taken for the normal one, from which it then differs by less than 2e-4 at the
/// quantiles used here. `statrs` loses digits beyond it, and its quantile searches without end at 1e9.
pub const MAX_DF: f64 = 1e4;

/// Fewer degrees of freedom than this are no estimate at all.
pub(super) const MIN_DF: f64 = 1e-3;

/// Steps towards a quantile; ten to fifty are needed.
const MOST_STEPS: u32 = 100;

/// Ends of a bracket this close, relative to themselves, are one number.
const RELATIVE_TOLERANCE: f64 = 1e-15;

/// The distribution for one number of degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudentT(Curve);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Curve {
    T(StudentsT),
    Normal(Normal),
}

impl StudentT {
    /// The distribution with `df` degrees of freedom, normal beyond [`MAX_DF`]; none if `df` is not a number above 0.001.
    #[must_use]
    pub fn new(df: f64) -> Option<Self> {
        if df > MAX_DF {
            return Normal::new(0.0, 1.0).ok().map(|normal| Self(Curve::Normal(normal)));
        }
        let usable = df >= MIN_DF;
        usable.then(|| StudentsT::new(0.0, 1.0, df).ok()).flatten().map(|student| Self(Curve::T(student)))
    }

    /// `P(T > t)`. NaN for NaN.
    #[must_use]
    pub fn sf(&self, t: f64) -> f64 {
        // statrs panics on it.
        if t.is_nan() {
            return t;
        }
        match &self.0 {
            Curve::T(student) => student.sf(t),
            Curve::Normal(normal) => normal.sf(t),
        }
    }

    /// `P(T <= t)`, as `P(T > -t)`, so that swapping two sides swaps their two p exactly.
    #[must_use]
    pub fn cdf(&self, t: f64) -> f64 {
        self.sf(-t)
    }

    /// The t with `P(T <= t) = p`; none unless `0 < p < 1`.
    ///
    /// By the Illinois variant of false position on [`StudentT::sf`] (Dowell and Jarratt, 1971), which ends after a known number of steps
    /// whatever the degrees of freedom.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        if !(p > 0.0 && p < 1.0) {
            return None;
        }
        let tail = p.min(1.0 - p);
        let excess = |t: f64| self.sf(t) - tail;
        let (mut low, mut high) = (0.0, 1.0);
        while excess(high) > 0.0 {
            (low, high) = (high, high * 2.0);
            if high == f64::INFINITY {
                return None;
            }
        }
        let t = root(low, high, excess);
        Some(if p < 0.5 { -t } else { t })
    }
}

/// Where a falling function crosses 0 between `low`, where it is not below, and `high`, where it is not above.
fn root(mut low: f64, mut high: f64, of: impl Fn(f64) -> f64) -> f64 {
    let (mut at_low, mut at_high, mut last) = (of(low), of(high), high);
    let mut low_moved = None;
    for _ in 0..MOST_STEPS {
        if at_low <= at_high {
            break;
        }
        last = (low + (high - low) * (at_low / (at_low - at_high))).clamp(low, high);
        let at_last = of(last);
        let moves_low = at_last > 0.0;
        // An end that stays twice counts half, or the other would creep.
        let stays = if low_moved == Some(moves_low) { 0.5 } else { 1.0 };
        if moves_low {
            (low, at_low, at_high) = (last, at_last, stays * at_high);
        } else {
            (high, at_high, at_low) = (last, at_last, stays * at_low);
        }
        low_moved = Some(moves_low);
        if at_last == 0.0 || high - low <= RELATIVE_TOLERANCE * high {
            break;
        }
    }
    last
}
