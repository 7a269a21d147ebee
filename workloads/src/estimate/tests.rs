use proptest::prelude::*;
use record::{Cell, Profile};

use super::{Speeds, estimate_s, trial_s};
use crate::{cells, defaults};

fn named(name: &str) -> Vec<Cell> {
    cells(Profile::Full, &[]).unwrap().into_iter().filter(|cell| cell.name() == name).collect()
}

/// No boot, 1000 prompt tokens per second, and 10 output tokens per second and stream however many there are.
fn flat() -> Speeds {
    Speeds { prefill_tok_s: 1000.0, decode_tok_s_per_user: vec![(1, 10.0), (100, 10.0)], boot_s: 0.0 }
}

#[test]
fn estimate_of_one_cell_is_the_sum_of_its_parts() {
    let check = |name: &str, expected_s: f64| {
        let estimate = estimate_s(&named(name), 1, 1, &flat());
        assert!((estimate - expected_s).abs() < 1e-6, "{name}: {estimate} s");
        assert!((trial_s(&named(name)[0], &flat()) - expected_s).abs() < 1e-6);
    };
    // A round of ten streams: 10.24 s of prefill, 102.4 s of decode; four rounds and one of warm-up.
    check("chat/c10", 5.0 * (10.24 + 102.4));
    // Five turns of 2048, 2688, ... tokens, and the first once more.
    check("multi-turn/c1", 2.048 + 2.688 + 3.328 + 3.968 + 4.608 + 2.048 + 6.0 * 51.2);
    // Arrivals take 666.7 s, service 200 * (4 + 500 / 1000) = 900 s; one request alone takes 54 s. Ten arrive in 33 s, service 45 s.
    check("office/r0.3", 900.0 + 54.0 + 45.0 + 54.0);
}

#[test]
fn decode_speed_is_interpolated_and_clamped() {
    let speeds = Speeds::default();
    for (streams, expected) in [(1, 33.58), (8, 15.44), (384, 3.15), (1000, 3.15), (3, 25.186)] {
        let tok_s = speeds.decode_tok_s_per_user(streams);
        assert!((tok_s - expected).abs() < 1e-3, "{streams}: {tok_s}");
    }
}

#[test]
fn profile_estimates_match_snapshot() {
    let hours = |profile| {
        let repeats = defaults(profile);
        estimate_s(&cells(profile, &[]).unwrap(), repeats.boots, repeats.trials_per_boot, &Speeds::default()) / 3600.0
    };
    let all: Vec<String> =
        [Profile::Quick, Profile::Standard, Profile::Full].map(|profile| format!("{profile} {:.1} h", hours(profile))).into();
    insta::assert_snapshot!(all.join(", "), @"quick 4.3 h, standard 18.0 h, full 42.0 h");
}

proptest! {
    #[test]
    fn estimate_grows_with_boots_and_trials(boots in 1u32..10, trials in 1u32..5, cell in 0usize..43) {
        let cells = cells(Profile::Full, &[]).unwrap();
        let one = &cells[cell..=cell];
        let speeds = Speeds::default();
        let estimate = estimate_s(one, boots, trials, &speeds);
        prop_assert!(estimate.is_finite() && estimate > speeds.boot_s);
        prop_assert!(estimate_s(one, boots + 1, trials, &speeds) > estimate);
        prop_assert!(estimate_s(one, boots, trials + 1, &speeds) > estimate);
    }
}
