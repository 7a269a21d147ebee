use proptest::prelude::*;
use statrs::distribution::{DiscreteCDF, Hypergeometric};

use super::*;

#[test]
fn small_tables_agree_with_enumeration() {
    // Three marked of eight, four drawn: C(3, k) C(5, 4 - k) of 70 are 5, 30, 30, 5.
    for (k, count) in [(0, 70.0), (1, 65.0), (2, 35.0), (3, 5.0), (4, 0.0)] {
        assert!((hypergeometric_at_least(k, 8, 3, 4) - count / 70.0).abs() < 1e-14, "{k}");
    }
}

#[test]
fn tail_is_0_or_1_outside_the_support() {
    // Six of eight marked and four drawn: at least two of them are.
    assert_eq!((hypergeometric_at_least(2, 8, 6, 4), hypergeometric_at_least(5, 8, 6, 4)), (1.0, 0.0));
}

#[test]
fn far_tail_keeps_its_digits() {
    // One way of C(200, 100).
    let all_forty = hypergeometric_at_least(100, 200, 100, 100);
    assert!((all_forty * 9.054_851_465_610_328e58 - 1.0).abs() < 1e-11, "{all_forty}");
}

#[test]
fn large_counts_give_a_probability() {
    let half = u64::from(u32::MAX / 2);
    let p = hypergeometric_at_least(half, 4 * half, 2 * half, 2 * half);
    assert!(p > 0.0 && p < 1.0, "{p}");
}

proptest! {
    #[test]
    fn tail_agrees_with_statrs_where_it_is_accurate(n in 1_u64..400, part in 0_u64..400, other in 1_u64..400) {
        let k = part % n;
        let (all, marked, drawn) = (n + other, n, other);
        let at_least = hypergeometric_at_least(k, all, marked, drawn);
        let hypergeometric = Hypergeometric::new(all, marked, drawn).unwrap();
        let expected = if k == 0 { 1.0 } else { 1.0 - hypergeometric.cdf(k - 1) };
        prop_assert!((at_least - expected).abs() < 1e-8, "{at_least} {expected}");
    }
}
