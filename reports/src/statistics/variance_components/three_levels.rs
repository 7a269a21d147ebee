//! Trials within boots within occasions.

use super::{Component, MeanSquare, component, sums_of_squares};

/// The noise of trials within boots within occasions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThreeLevels {
    /// Noise between the trials of a boot.
    pub trial: Component,
    /// Noise between the boots of an occasion.
    pub boot: Component,
    pub occasion: Component,
}

/// The noise in natural logarithms of a metric: a list of occasions, each a list of boots, each a list of trials.
///
/// With a occasions, b boots and N trials in all, `n_ij` trials in a boot and `n_i` in an occasion:
/// `E(MST) = s2_t`, `E(MSB) = s2_t + k1 s2_b`, `E(MSO) = s2_t + k2 s2_b + k3 s2_o`, where
/// `k1 = (N - sum_i sum_j n_ij^2 / n_i) / (b - a)`, `k2 = (sum_i sum_j n_ij^2 / n_i - sum_ij n_ij^2 / N) / (a - 1)` and
/// `k3 = (N - sum_i n_i^2 / N) / (a - 1)`. Where all sizes are the same, k1 and k2 are the trials of a boot and k3 those of an occasion.
///
/// None without a degree of freedom at each level, with an occasion or a boot that is empty, or if a number is not finite.
#[must_use]
pub fn three_levels(occasions: &[Vec<Vec<f64>>]) -> Option<ThreeLevels> {
    solve(occasions, 1.0)
}

/// The components where trial k of boot j had the same seed in every occasion. The effect of a seed is not noise, since it is on both
/// sides of a comparison by seed. Such a value is `occasion + seed + boot + trial`, so the mean over the a occasions of each seed's place
/// is subtracted first (a two-way layout without the seeds' own sum of squares). Occasions keep their mean square; the remainder between
/// boots and between trials has `(a - 1) / a` of its degrees of freedom in [`three_levels`]. Exact, since the layout is the same in every
/// occasion.
///
/// None as for [`three_levels`], or if the occasions differ in their numbers of boots or trials.
#[must_use]
pub fn three_levels_by_seed(occasions: &[Vec<Vec<f64>>]) -> Option<ThreeLevels> {
    let (first, others) = occasions.split_first()?;
    let sizes = |boots: &[Vec<f64>]| boots.iter().map(Vec::len).collect::<Vec<_>>();
    if others.iter().any(|other| sizes(other) != sizes(first)) {
        return None;
    }
    let a = occasions.len() as f64;
    let of_seed = |boot: usize, trial: usize| occasions.iter().map(|boots| boots[boot][trial]).sum::<f64>() / a;
    let less = |boot: usize, trials: &Vec<f64>| -> Vec<f64> {
        trials.iter().enumerate().map(|(trial, value)| value - of_seed(boot, trial)).collect()
    };
    let without = |boots: &Vec<Vec<f64>>| boots.iter().enumerate().map(|(boot, trials)| less(boot, trials)).collect();
    solve(&occasions.iter().map(without).collect::<Vec<Vec<Vec<f64>>>>(), (a - 1.0) / a)
}

/// `kept` is the share of the degrees of freedom below the occasions that are left.
fn solve(occasions: &[Vec<Vec<f64>>], kept: f64) -> Option<ThreeLevels> {
    let boots = occasions.concat();
    let (a, b) = (occasions.len() as f64, boots.len() as f64);
    let n: f64 = boots.iter().map(|boot| boot.len() as f64).sum();
    let (df_occasion, df_boot, df_trial) = (a - 1.0, (b - a) * kept, (n - b) * kept);
    if df_occasion < 1.0 || df_boot < 1.0 || df_trial < 1.0 || occasions.iter().any(Vec::is_empty) {
        return None;
    }
    let (ss_trial, ss_above) = sums_of_squares(&boots)?;
    let (_, ss_occasion) = sums_of_squares(&occasions.iter().map(|boots| boots.concat()).collect::<Vec<_>>())?;
    let ms_trial = ss_trial / df_trial;
    // Both are sums of squares over the same means, so what is left of one is never below 0 but by rounding.
    let (ms_boot, ms_occasion) = ((ss_above - ss_occasion).max(0.0) / df_boot, ss_occasion / df_occasion);

    let square = |boot: &Vec<f64>| (boot.len() as f64).powi(2);
    let size = |boots: &Vec<Vec<f64>>| boots.iter().map(|boot| boot.len() as f64).sum::<f64>();
    let within: f64 = occasions.iter().map(|boots| boots.iter().map(square).sum::<f64>() / size(boots)).sum();
    let k1 = (n - within) / (b - a);
    let k2 = (within - boots.iter().map(square).sum::<f64>() / n) / df_occasion;
    let k3 = (n - occasions.iter().map(|boots| size(boots).powi(2)).sum::<f64>() / n) / df_occasion;

    let trial = component(&[MeanSquare::new(1.0, ms_trial, df_trial)]);
    let boot = component(&[MeanSquare::new(1.0 / k1, ms_boot, df_boot), MeanSquare::new(-1.0 / k1, ms_trial, df_trial)]);
    let share = k2 / k1;
    let occasion = component(&[
        MeanSquare::new(1.0 / k3, ms_occasion, df_occasion),
        MeanSquare::new(-share / k3, ms_boot, df_boot),
        MeanSquare::new((share - 1.0) / k3, ms_trial, df_trial),
    ]);
    Some(ThreeLevels { trial, boot, occasion })
}
