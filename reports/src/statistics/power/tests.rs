use super::*;

fn noise(pairing: Pairing, unit_sd_ln: f64, shared_sd_ln: f64, shared_df: f64) -> Noise {
    let shared_variance = 2.0 * shared_sd_ln.powi(2);
    Noise { pairing, unit_sd_ln, shared_variance, shared_per_df: shared_variance.powi(2) / shared_df }
}

#[test]
fn trials_needed_is_the_smallest_sufficient_number() {
    for (pairing, sd, margin) in [
        (Pairing::Unpaired, 0.03, 0.03),
        (Pairing::Unpaired, 0.1, 0.03),
        (Pairing::BySeed, 0.02, 0.03),
        (Pairing::BySeed, 0.05, 0.1),
    ] {
        let noise = noise(pairing, sd, 0.0, 3.0);
        let n = noise.trials_needed(margin, 0.05).unwrap();
        let target = f64::ln_1p(margin);
        assert!(noise.mde_ln(n, 0.05).unwrap() <= target, "{n}");
        assert!(n == 3 || noise.mde_ln(n - 1, 0.05).unwrap() > target, "{n}");
    }
}

#[test]
fn search_for_trials_needed_agrees_with_trying_each() {
    // With 0.7 % shared, the smallest detectable difference falls to a minimum and rises again.
    for shared in [0.0, 0.003, 0.006, 0.0069, 0.007, 0.0085, 0.009] {
        for sd in [0.002, 0.01, 0.02, 0.05] {
            for (pairing, df) in [(Pairing::Unpaired, 3.0), (Pairing::BySeed, 1.5), (Pairing::Unpaired, 40.0)] {
                let noise = noise(pairing, sd, shared, df);
                let one_by_one = (3..=1000).find(|&n| noise.mde_ln(n, 0.05).unwrap() <= 0.03_f64.ln_1p());
                assert_eq!(noise.trials_needed(0.03, 0.05), one_by_one, "{pairing:?} {shared} {sd} {df}");
            }
        }
    }
}

#[test]
fn shared_variance_is_not_reduced_by_more_trials() {
    // With occasions that differ by 1 %, estimated with 3 degrees of freedom, 3 % stay out of sight.
    let assumed = noise(Pairing::Unpaired, 0.005, 0.01, 3.0);
    assert_eq!(assumed.trials_needed(0.03, 0.05), None);
    assert!(assumed.is_futile(0.03, 0.05));
    assert!(assumed.mde_ln(1000, 0.05).unwrap() > 2.0 * 0.01);
    assert!(assumed.trials_needed(0.10, 0.05).is_some());
}

#[test]
fn futility_is_decided_by_the_last_look() {
    // 10 per side find 2.32 % at a spread of 2 %, and at 6 % they find 6.97 %.
    assert!(!noise(Pairing::Unpaired, 0.02, 0.0, 3.0).is_futile(0.03, 0.05));
    assert!(noise(Pairing::Unpaired, 0.06, 0.0, 3.0).is_futile(0.03, 0.05));
    // Two looks ask for more than one.
    let noise = noise(Pairing::Unpaired, 0.024, 0.0, 3.0);
    assert!(!noise.is_futile(0.03, 0.05) && noise.is_futile(0.03, 0.0304));
}

#[test]
fn invalid_noise_margin_or_alpha_has_no_answer() {
    let nothing = noise(Pairing::Unpaired, f64::NAN, 0.0, 3.0);
    assert_eq!((nothing.mde_ln(5, 0.05), nothing.trials_needed(0.03, 0.05), nothing.is_futile(0.03, 0.05)), (None, None, true));
    let fine = noise(Pairing::Unpaired, 0.01, 0.0, 3.0);
    for (margin, alpha) in [(0.03, 0.0), (0.03, 1.0), (0.0, 0.05), (-0.5, 0.05), (f64::NAN, 0.05)] {
        assert_eq!(fine.trials_needed(margin, alpha), None, "{margin} {alpha}");
    }
}
