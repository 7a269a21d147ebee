//! Compares the two sides of one cell: the size of the difference and its uncertainty.
//!
//! All computations are on natural logarithms, where a change is a difference and noise is about the same size for all values. A difference `d` is
//! positive when the candidate is worse, whichever direction is better for the metric.

use serde::Serialize;

use super::{moments, power, power::Noise, student::StudentT};

mod input;
#[cfg(test)]
mod tests;

pub use super::pairing::Pairing;
pub use input::{BetterDirection, Component, Design, Refusal, Side};

/// Fewest values on a side from which anything is concluded.
pub const MIN_UNITS: usize = 3;

/// Spread below this, on the logarithms, is the rounding of identical values.
const ROUNDING: f64 = 1e-12;

/// The comparison of a candidate with its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    pub design: Design,
    /// How much worse the candidate is, as a difference of natural logarithms; negative when it is better.
    pub d: f64,
    /// The standard error of `d`.
    pub se: f64,
    /// Its degrees of freedom.
    pub df: f64,
    /// `P(T > d / se)`: the p-value of being worse.
    pub p_regressed: f64,
    /// `P(T < d / se)`: the p-value of being better.
    pub p_improved: f64,
    /// The noise behind `se`, from which further trials are planned.
    pub noise: Noise,
}

/// A confidence interval; its level and unit depend on the method that returns it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Comparison {
    /// The interval of `d` at level `1 - 2 alpha`: `d -+ t_(1-alpha, df) se`. None unless `0 < alpha < 0.5`.
    #[must_use]
    pub fn interval(&self, alpha: f64) -> Option<Interval> {
        let t = StudentT::new(self.df)?.quantile(1.0 - alpha).filter(|t| *t > 0.0)?;
        Some(Interval { low: self.d - t * self.se, high: self.d + t * self.se })
    }

    /// The change of the candidate against the baseline in percent of the metric itself, up when it is larger: `100 (exp(s d) - 1)`.
    #[must_use]
    pub fn change_percent(&self) -> f64 {
        self.percent(self.d)
    }

    /// The interval of [`Comparison::change_percent`] at level `1 - 2 alpha`.
    #[must_use]
    pub fn change_interval_percent(&self, alpha: f64) -> Option<Interval> {
        let Interval { low, high } = self.interval(alpha)?;
        let (one, other) = (self.percent(low), self.percent(high));
        Some(Interval { low: one.min(other), high: one.max(other) })
    }

    /// Whether the candidate seems worse: the estimate reaches the margin, or is significant by itself. Then a second look is taken even if its power
    /// is low.
    #[must_use]
    pub fn seems_worse(&self, margin: f64, alpha: f64) -> bool {
        self.d >= margin.ln_1p() || self.p_regressed <= alpha
    }

    /// The smallest change that this measurement would have found in 8 of 10 cases, as a share: `exp((t_(1-alpha) + t_0.8) se) - 1`.
    #[must_use]
    pub fn mde80(&self, alpha: f64) -> Option<f64> {
        power::mde_ln(self.se, self.df, alpha).map(f64::exp_m1)
    }

    fn percent(&self, d: f64) -> f64 {
        100.0 * (self.design.better.worse_sign() * d).exp_m1()
    }
}

/// Compares one value per unit of the candidate with those of the baseline; a unit is a boot, or a trial where there is one boot per side.
/// Paired by seed, both sides are in the order of the seeds.
///
/// - Unpaired (Welch, *The generalization of Student's problem*, 1947; df after Satterthwaite, 1946): `v_i = s_i^2 / n_i`,
///   `se^2 = v_B + v_C`, `df = se^4 / (v_B^2 / (n_B - 1) + v_C^2 / (n_C - 1))`.
/// - Paired: `z = s (ln C - ln B)` of each seed, `se^2 = var(z) / n`, `df = n - 1`.
/// - A variance `s^2` that both sides have once and their units do not show (another occasion, one boot) adds `2 s^2` to `se^2`, and
///   `(2 s^2)^2 / df_s` to the denominator of the df.
pub fn compare(baseline: &[f64], candidate: &[f64], design: Design) -> Result<Comparison, Refusal> {
    input::check(baseline, candidate, &design)?;
    let logarithms = |values: &[f64], side| ordered_logarithms(values, &design).ok_or(Refusal::TooFew { side, n: values.len() });
    let (b, c) = (logarithms(baseline, Side::Baseline)?, logarithms(candidate, Side::Candidate)?);
    let sign = design.better.worse_sign();
    let spread = match design.pairing {
        Pairing::Unpaired => Spread::welch(&b, &c),
        Pairing::BySeed => Spread::paired(&b, &c),
    };
    let spread = spread.filter(|spread| spread.unit_variance.sqrt() > ROUNDING).ok_or(Refusal::NoSpread)?;
    let noise = design.noise(spread.unit_variance.sqrt());
    let d = sign * spread.difference;
    let variance = spread.variance + noise.shared_variance;
    let (se, df) = (variance.sqrt(), variance * variance / (spread.per_df + noise.shared_per_df));
    let student = StudentT::new(df).filter(|_| d.is_finite() && se.is_finite()).ok_or(Refusal::NoSpread)?;
    Ok(Comparison { design, d, se, df, p_regressed: student.sf(d / se), p_improved: student.cdf(d / se), noise })
}

/// The logarithms; unpaired ones in ascending order, so that no sum depends on the order of the values.
fn ordered_logarithms(values: &[f64], design: &Design) -> Option<Vec<f64>> {
    let mut logarithms = moments::logarithms(values)?;
    if design.pairing == Pairing::Unpaired {
        logarithms.sort_by(f64::total_cmp);
    }
    Some(logarithms)
}

/// A difference of two means and its variance, estimated from the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// Mean of the candidate less mean of the baseline, in natural logarithms.
    pub(super) difference: f64,
    /// The variance of the difference.
    pub(super) variance: f64,
    /// The sum of `v^2 / df` over the parts of the variance.
    pub(super) per_df: f64,
    /// The variance of one unit of a side (of one pair).
    unit_variance: f64,
}

impl Spread {
    pub(super) fn welch(baseline: &[f64], candidate: &[f64]) -> Option<Self> {
        let (s2_b, s2_c) = (moments::variance(baseline)?, moments::variance(candidate)?);
        let (n_b, n_c) = (baseline.len() as f64, candidate.len() as f64);
        let (v_b, v_c) = (s2_b / n_b, s2_c / n_c);
        Some(Self {
            difference: moments::mean(candidate)? - moments::mean(baseline)?,
            variance: v_b + v_c,
            per_df: v_b * v_b / (n_b - 1.0) + v_c * v_c / (n_c - 1.0),
            unit_variance: f64::midpoint(s2_b, s2_c),
        })
    }

    fn paired(baseline: &[f64], candidate: &[f64]) -> Option<Self> {
        let differences: Vec<f64> = baseline.iter().zip(candidate).map(|(b, c)| c - b).collect();
        let (n, unit_variance) = (differences.len() as f64, moments::variance(&differences)?);
        let variance = unit_variance / n;
        let per_df = variance * variance / (n - 1.0);
        Some(Self { difference: moments::mean(&differences)?, variance, per_df, unit_variance })
    }
}
