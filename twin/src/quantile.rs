//! The quantile that all forecasts are summed up by.

use crate::nearest::nearest_usize;

/// The quantile of sorted values by type 7, linear between two of them, as numpy's is; not a number of none.
#[must_use]
pub fn quantile(sorted: &[f64], level: f64) -> f64 {
    let place = (sorted.len().saturating_sub(1)) as f64 * level;
    let (below, share) = (nearest_usize(place.floor()), place.fract());
    match (sorted.get(below), sorted.get(below + 1)) {
        (Some(low), Some(high)) => low + (high - low) * share,
        (Some(only), None) => *only,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantile_is_linear_between_two_values() {
        let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        near(quantile(&[1.0, 2.0, 4.0, 8.0], 0.5), 3.0);
        near(quantile(&[1.0, 2.0, 4.0, 8.0], 0.95), 7.4);
        near(quantile(&[5.0], 0.95), 5.0);
        near(quantile(&[1.0, 9.0], 1.0), 9.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
