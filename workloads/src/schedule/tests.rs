use proptest::prelude::*;
use record::Arrival;

use super::arrivals_ns;
use crate::rng::Rng;

const GAMMA: Arrival = Arrival::Gamma { shape: 0.7 };

fn gaps_s(arrival: Arrival, rate_per_s: f64, requests: u32, seed: u64) -> Vec<f64> {
    let times = arrivals_ns(arrival, rate_per_s, requests, &mut Rng::new("arrivals", seed));
    let before = std::iter::once(&0).chain(&times);
    before.zip(&times).map(|(before, after)| (after - before) as f64 / 1e9).collect()
}

/// Mean, variance and lag-1 autocorrelation.
fn moments(gaps: &[f64]) -> (f64, f64, f64) {
    let n = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / n;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let lagged = gaps.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>() / (n - 1.0);
    (mean, variance, lagged / variance)
}

#[test]
fn constant_gaps_are_equal_and_bursts_are_at_zero() {
    let mut rng = Rng::new("arrivals", 1);
    assert_eq!(arrivals_ns(Arrival::Constant, 4.0, 3, &mut rng), [250_000_000, 500_000_000, 750_000_000]);
    assert_eq!(arrivals_ns(Arrival::Constant, 3.0, 30_000, &mut rng).last(), Some(&10_000_000_000_000));
    assert_eq!(arrivals_ns(Arrival::AllAtOnce, 0.0, 3, &mut rng), [0, 0, 0]);
    assert!(arrivals_ns(Arrival::Poisson, 1.0, 0, &mut rng).is_empty());
}

/// A schedule that is rescaled to end at n / rate has no variance there; ours has the process's own.
#[test]
fn last_arrival_is_random() {
    let ends = |arrival| -> Vec<f64> { (0..400).map(|seed| gaps_s(arrival, 0.3, 200, seed).iter().sum()).collect() };
    for (arrival, gap_variance) in [(Arrival::Poisson, 1.0), (GAMMA, 1.0 / 0.7)] {
        let (mean, variance, _) = moments(&ends(arrival));
        let expected = 200.0 * gap_variance / 0.09;
        assert!((mean / (200.0 / 0.3) - 1.0).abs() < 0.02, "{arrival:?} mean {mean}");
        assert!((variance / expected - 1.0).abs() < 0.25, "{arrival:?} variance {variance}, expected {expected}");
    }
}

/// Kolmogorov and Smirnov's distance to the exponential distribution. 1.63 / sqrt(n) is passed once in a hundred seeds.
#[test]
fn poisson_gaps_are_exponential() {
    let mut gaps = gaps_s(Arrival::Poisson, 1.5, 20_000, 42);
    gaps.sort_by(f64::total_cmp);
    let n = gaps.len() as f64;
    let distance = (0..).map(f64::from).zip(&gaps).map(|(rank, gap)| {
        let expected = 1.0 - (-1.5 * gap).exp();
        (expected - rank / n).abs().max(((rank + 1.0) / n - expected).abs())
    });
    let distance = distance.fold(0.0, f64::max);
    assert!(distance < 1.63 / n.sqrt(), "{distance}");
}

/// The share of gamma gaps below two points, against the distribution's own by the series of the
/// incomplete gamma function.
#[test]
fn gamma_gaps_have_their_quantiles() {
    let gaps = gaps_s(GAMMA, 1.0, 40_000, 42);
    for (below, expected) in [(0.1, 0.166_247), (1.0, 0.656_589), (3.0, 0.931_748)] {
        let share = gaps.iter().filter(|&&gap| gap < below).count() as f64 / 40_000.0;
        assert!((share - expected).abs() < 0.009, "P(gap < {below}) is {share}, expected {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Tolerances are five standard errors or more: the mean's is sd / sqrt(n), the variance's follows from the fourth moment, the
    /// correlation's is 1 / sqrt(n).
    #[test]
    fn gaps_are_independent_with_the_right_mean_and_variance(seed: u64, shape in 0.4f64..4.0) {
        for (arrival, shape) in [(Arrival::Poisson, 1.0), (Arrival::Gamma { shape }, shape)] {
            let (mean, variance, correlation) = moments(&gaps_s(arrival, 1.0, 20_000, seed));
            prop_assert!((mean - 1.0).abs() < 5.0 * (1.0 / shape / 2e4).sqrt(), "mean {}", mean);
            // Kurtosis of a gamma distribution: 3 + 6 / shape.
            let variance_error = ((2.0 + 6.0 / shape) / 2e4).sqrt();
            prop_assert!((variance * shape - 1.0).abs() < 6.0 * variance_error, "variance {} at shape {}", variance, shape);
            prop_assert!(correlation.abs() < 5.0 / 2e4f64.sqrt(), "correlation {}", correlation);
        }
    }

    #[test]
    fn arrival_times_are_sorted_and_start_after_a_gap(seed: u64, rate_per_s in 0.1f64..50.0, requests in 1u32..200) {
        for arrival in [Arrival::Constant, Arrival::Poisson, GAMMA] {
            let times = arrivals_ns(arrival, rate_per_s, requests, &mut Rng::new("arrivals", seed));
            prop_assert!(times.is_sorted());
            prop_assert_eq!(times.len(), requests as usize);
        }
    }
}
