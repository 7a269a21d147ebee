use super::*;
use crate::statistics::abba::SplitMix;

fn sd(sd_ln: f64) -> Component {
    Component { sd_ln, df: 9.0, assumed: false }
}

#[test]
fn more_trials_per_boot_are_chosen_when_boots_are_expensive_and_alike() {
    let table = [
        (240.0, 180.0, 0.015, 0.010, 2),
        (240.0, 180.0, 0.009, 0.024, 1),
        (2000.0, 60.0, 0.02, 0.01, 3),
        (60.0, 60.0, 0.01, 0.0, 3),
    ];
    for (cost_boot, cost_trial, trial, boot, expected) in table {
        assert_eq!(trials_per_boot(cost_boot, cost_trial, sd(trial), sd(boot)), expected, "{trial} {boot}");
    }
    // Neither differs: one is as good as many.
    assert_eq!(trials_per_boot(240.0, 180.0, sd(0.0), sd(0.0)), 1);
}

#[test]
fn negative_variance_estimate_of_boots_is_0() {
    let noise = two_levels(&[vec![1.0, 2.0, 3.0], vec![3.0, 1.0, 2.0], vec![2.0, 3.0, 1.0]]).unwrap();
    assert_eq!(noise.boot, Component { sd_ln: 0.0, df: 2.0, assumed: false });
    assert_eq!(noise.trial, Component { sd_ln: 1.0, df: 6.0, assumed: false });
    let equal = two_levels(&[vec![1.0, 1.0], vec![2.0, 2.0]]).unwrap();
    assert_eq!((equal.trial.sd_ln, equal.boot.sd_ln), (0.0, 0.5_f64.sqrt()));
}

#[test]
fn groups_of_different_size_are_weighted() {
    // Means 1, 2, 5 of sizes 1, 2, 3 around 10/3: SSB = 49/9 + 2 * 16/9 + 3 * 25/9 = 52/3, k = (6 - 14/6) / 2 = 11/6.
    let noise = two_levels(&[vec![1.0], vec![1.0, 3.0], vec![4.0, 5.0, 6.0]]).unwrap();
    assert!((noise.trial.sd_ln.powi(2) - 4.0 / 3.0).abs() < 1e-12);
    assert!((noise.boot.sd_ln.powi(2) - (26.0 / 3.0 - 4.0 / 3.0) * 6.0 / 11.0).abs() < 1e-12);
    // Satterthwaite: (a - b)^2 / (a^2 / 2 + b^2 / 3) with a = 26/3, b = 4/3.
    let expected = (22.0_f64 / 3.0).powi(2) / ((26.0_f64 / 3.0).powi(2) / 2.0 + (4.0_f64 / 3.0).powi(2) / 3.0);
    assert!((noise.boot.df - expected).abs() < 1e-12);
}

#[test]
fn too_few_boots_or_trials_have_no_components() {
    let (one, two) = (vec![1.0], vec![1.0, 2.0]);
    for boots in [
        vec![],
        vec![two.clone()],
        vec![one.clone(), one.clone()],
        vec![two.clone(), vec![]],
        vec![two.clone(), vec![f64::NAN, 1.0]],
    ] {
        assert_eq!(two_levels(&boots), None, "{boots:?}");
    }
    let occasion = vec![two.clone(), two.clone()];
    for occasions in [
        vec![],
        vec![occasion.clone()],
        vec![vec![two.clone()], vec![two.clone()]],
        vec![vec![one.clone(), one.clone()], vec![one.clone(), one]],
        vec![occasion.clone(), vec![]],
        vec![occasion.clone(), vec![two, vec![]]],
    ] {
        assert_eq!(three_levels(&occasions), None, "{occasions:?}");
    }
    assert!(three_levels(&[occasion.clone(), occasion]).is_some());
}

#[test]
fn equal_sizes_give_the_textbook_formulas() {
    let occasions =
        [vec![vec![1.0, 2.0], vec![4.0, 5.0]], vec![vec![9.0, 8.0], vec![7.0, 9.0]], vec![vec![3.0, 3.5], vec![2.0, 6.0]]];
    let noise = three_levels(&occasions).unwrap();
    // Trials differ by 0.5, 0.5, 0.5, 1, 0.25 and 2 from their boots' means on either side, boots by 1.5, 0.25 and 0.375 from their
    // occasions', and occasions have 3, 8.25 and 3.625.
    let ms_trial = 2.0 * (0.25 * 3.0 + 1.0 + 0.0625 + 4.0) / 6.0;
    let ms_boot = 2.0 * 2.0 * (1.5_f64.powi(2) + 0.25_f64.powi(2) + 0.375_f64.powi(2)) / 3.0;
    let ms_occasion = 4.0 * [3.0, 8.25, 3.625].map(|mean: f64| (mean - 14.875 / 3.0).powi(2)).iter().sum::<f64>() / 2.0;
    assert!((noise.trial.sd_ln.powi(2) - ms_trial).abs() < 1e-12);
    assert!((noise.boot.sd_ln.powi(2) - (ms_boot - ms_trial) / 2.0).abs() < 1e-12);
    assert!((noise.occasion.sd_ln.powi(2) - (ms_occasion - ms_boot) / 4.0).abs() < 1e-12);
}

#[test]
fn simulated_components_are_recovered() {
    let mut chance = SplitMix(5);
    let mut normal = || (0..12).map(|_| (chance.word() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0;
    let mut occasions = Vec::new();
    for place in 0..400_usize {
        let occasion = 0.007 * normal();
        // Sizes differ, as they do when trials turn out invalid.
        let boot = |boot: usize, normal: &mut dyn FnMut() -> f64| -> Vec<f64> {
            let level = occasion + 0.010 * normal();
            (0..=(place + boot) % 3).map(|_| level + 0.015 * normal()).collect()
        };
        occasions.push((0..2 + place % 3).map(|number| boot(number, &mut normal)).collect::<Vec<_>>());
    }
    let noise = three_levels(&occasions).unwrap();
    for (component, expected) in [(noise.trial, 0.015), (noise.boot, 0.010), (noise.occasion, 0.007)] {
        assert!((component.sd_ln / expected - 1.0).abs() < 0.15, "{component:?} for {expected}");
    }
}

#[test]
fn effects_of_shared_seeds_are_removed() {
    let mut chance = SplitMix(6);
    let mut normal = || (0..12).map(|_| (chance.word() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0;
    let (mut found, experiments) = ([0.0; 3], 400);
    for _ in 0..experiments {
        // Seeds that differ by 50 % would drown everything. The others are far enough apart that hardly any estimate is cut off at 0.
        let seeds: Vec<Vec<f64>> = [2, 3, 2].iter().map(|trials| (0..*trials).map(|_| 0.50 * normal()).collect()).collect();
        let mut occasions = Vec::new();
        for _ in 0..4 {
            let occasion = 0.100 * normal();
            let mut boot = |seeds: &Vec<f64>| -> Vec<f64> {
                let level = occasion + 0.050 * normal();
                seeds.iter().map(|seed| level + seed + 0.015 * normal()).collect()
            };
            occasions.push(seeds.iter().map(&mut boot).collect::<Vec<_>>());
        }
        let noise = three_levels_by_seed(&occasions).unwrap();
        // 7 seeds less 3 boots, 4 occasions less 1.
        assert!((noise.trial.df - 12.0).abs() < 1e-9);
        for (sum, component) in found.iter_mut().zip([noise.trial, noise.boot, noise.occasion]) {
            *sum += component.sd_ln.powi(2) / f64::from(experiments);
        }
    }
    for ((found, sd), off) in found.iter().zip([0.015_f64, 0.050, 0.100]).zip([0.08, 0.12, 0.16]) {
        assert!((found / sd.powi(2) - 1.0).abs() < off, "{found} for {sd}");
    }
}

#[test]
fn different_layouts_have_no_components_by_seed() {
    let (two, three) = (vec![vec![1.0, 2.0], vec![4.0, 5.0]], vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0]]);
    assert_eq!(three_levels_by_seed(&[two.clone(), three]), None);
    assert_eq!(three_levels_by_seed(&[]), None);
    // Two equal occasions: no noise is left below them.
    let same = three_levels_by_seed(&[two.clone(), two]).unwrap();
    assert_eq!((same.trial.sd_ln, same.boot.sd_ln, same.occasion.sd_ln), (0.0, 0.0, 0.0));
}
