use proptest::prelude::*;
use statrs::distribution::{Binomial, DiscreteCDF, Hypergeometric};

use super::*;

#[test]
fn small_tables_are_counted() {
    // Of 16 throws of four coins: 1, 5, 11, 15, 16 have at most 0, 1, 2, 3, 4 heads.
    for (k, count) in [(0, 1.0), (1, 5.0), (2, 11.0), (3, 15.0), (4, 16.0), (9, 16.0)] {
        assert!((binomial_cdf(k, 4, 0.5) - count / 16.0).abs() < 1e-14, "{k}");
    }
    // Three marked of eight, four drawn: C(3, k) C(5, 4 - k) of 70 are 5, 30, 30, 5.
    for (k, count) in [(0, 70.0), (1, 65.0), (2, 35.0), (3, 5.0), (4, 0.0)] {
        assert!((hypergeometric_at_least(k, 8, 3, 4) - count / 70.0).abs() < 1e-14, "{k}");
    }
}

#[test]
fn the_ends_are_certain() {
    assert_eq!((binomial_cdf(0, 0, 0.3), binomial_cdf(2, 5, 0.0), binomial_cdf(2, 5, 1.0)), (1.0, 1.0, 0.0));
    // Six of eight marked and four drawn: at least two of them are.
    assert_eq!((hypergeometric_at_least(2, 8, 6, 4), hypergeometric_at_least(5, 8, 6, 4)), (1.0, 0.0));
}

#[test]
fn a_tail_far_out_keeps_its_digits() {
    // 0.01^40, and one way of C(200, 100).
    assert!((binomial_cdf(39, 40, 0.01) - 1.0).abs() < 1e-15);
    let all_forty = hypergeometric_at_least(100, 200, 100, 100);
    assert!((all_forty * 9.054_851_465_610_328e58 - 1.0).abs() < 1e-11, "{all_forty}");
}

#[test]
fn large_counts_end_soon_and_stay_probabilities() {
    let (n, half) = (u32::MAX, u32::MAX / 2);
    assert!((binomial_cdf(half, n, 0.5) - 0.5).abs() < 1e-4);
    let p = hypergeometric_at_least(u64::from(half), 4 * u64::from(half), 2 * u64::from(half), 2 * u64::from(half));
    assert!(p > 0.0 && p < 1.0, "{p}");
}

proptest! {
    #[test]
    fn they_agree_with_statrs_where_it_is_sound(n in 1_u32..400, part in 0_u32..400, p in 0.001_f64..0.999, other in 1_u32..400) {
        let k = part % n;
        let binomial = Binomial::new(p, u64::from(n)).unwrap();
        prop_assert!((binomial_cdf(k, n, p) - binomial.cdf(u64::from(k))).abs() < 1e-9);
        let (all, marked, drawn) = (u64::from(n + other), u64::from(n), u64::from(other));
        let at_least = hypergeometric_at_least(u64::from(k), all, marked, drawn);
        let hypergeometric = Hypergeometric::new(all, marked, drawn).unwrap();
        let expected = if k == 0 { 1.0 } else { 1.0 - hypergeometric.cdf(u64::from(k) - 1) };
        prop_assert!((at_least - expected).abs() < 1e-8, "{at_least} {expected}");
    }
}
