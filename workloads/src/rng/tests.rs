use proptest::prelude::*;

use super::Rng;

/// The first outputs from the state 1, 2, 3, 4, from the published recurrence written down again in another language.
#[test]
fn generator_matches_xoshiro256_star_star() {
    let mut rng = Rng { state: [1, 2, 3, 4] };
    // 2 * 5 = 10, rotated by 7: 1280, times 9. The next state[1] is 2 ^ 3 ^ 1 = 0, and the one after is 2^17 + 2 and so on.
    let drawn: Vec<u64> = (0..4).map(|_| rng.next_u64()).collect();
    assert_eq!(drawn, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
}

#[test]
fn domains_and_seeds_give_independent_streams() {
    let draws = |domain, seed| {
        let mut rng = Rng::new(domain, seed);
        [rng.next_u64(), rng.next_u64()]
    };
    assert_eq!(draws("text", 7), draws("text", 7));
    assert_ne!(draws("text", 7), draws("text", 8));
    assert_ne!(draws("text", 7), draws("lengths", 7));
    // The separator keeps a domain's tail and a seed's first byte apart.
    assert_ne!(draws("text\u{1}", 0), draws("text", 1));
}

#[test]
fn bounded_integers_are_uniform() {
    let mut rng = Rng::new("below", 1);
    let mut seen = [0u32; 7];
    for _ in 0..70_000 {
        seen[rng.below(7) as usize] += 1;
    }
    // Chi-square with 6 degrees of freedom: 22.5 is passed once in a thousand.
    let chi_square: f64 = seen.iter().map(|&count| (f64::from(count) - 1e4).powi(2) / 1e4).sum();
    assert!(chi_square < 22.5, "{chi_square} {seen:?}");
}

#[test]
fn normal_draws_have_expected_moments() {
    let mut rng = Rng::new("normal", 1);
    let drawn: Vec<f64> = (0..100_000).map(|_| rng.normal()).collect();
    let moment = |power| drawn.iter().map(|x: &f64| x.powi(power)).sum::<f64>() / 1e5;
    // Four standard errors of each.
    assert!(moment(1).abs() < 0.013, "{}", moment(1));
    assert!((moment(2) - 1.0).abs() < 0.018, "{}", moment(2));
    assert!(moment(3).abs() < 0.05, "{}", moment(3));
    assert!((moment(4) - 3.0).abs() < 0.13, "{}", moment(4));
}

proptest! {
    #[test]
    fn bounded_draws_stay_within_bounds(seed: u64, bound in 1u32..) {
        let mut rng = Rng::new("bounds", seed);
        for _ in 0..32 {
            prop_assert!(rng.below(bound) < bound);
            let unit = rng.open_unit();
            prop_assert!(unit > 0.0 && unit < 1.0);
        }
    }

    #[test]
    fn shuffle_is_a_permutation(seed: u64, length in 0usize..200) {
        let mut list: Vec<usize> = (0..length).collect();
        Rng::new("shuffle", seed).shuffle(&mut list);
        list.sort_unstable();
        prop_assert_eq!(list, (0..length).collect::<Vec<_>>());
    }
}
