use record::Metric;

use super::*;

fn gate(cell: &str, metric: Metric, margin: f64, paired_by_seed: bool) -> Gate {
    Gate { cell: cell.to_owned(), metric, margin, paired_by_seed }
}

/// A small family, so that it is quick.
fn gates() -> Vec<Gate> {
    vec![
        gate("chat/c10", Metric::DecodeTokS, 0.03, false),
        gate("chat/c10", Metric::TtftP50Ns, 0.05, false),
        gate("office/r0.3", Metric::TtftP95Ns, 0.10, true),
    ]
}

fn rate(count: u32, of: u32, requirement: Option<Requirement>) -> Rate {
    Rate { scenario: "a: b".to_owned(), boots: 5, count, of, of_first: 0, requirement }
}

#[test]
fn same_seed_gives_the_same_page() {
    let page = |seed, most| characteristics(&gates(), seed, most).unwrap().markdown();
    assert_eq!(page(1, 20), page(1, 20));
    assert_ne!(page(1, 20), page(2, 20));
    let counts = |most| characteristics(&gates(), 1, most).unwrap().first_counts();
    assert_eq!(counts(FIRST_COMPARISONS), counts(FIRST_COMPARISONS + 10), "the first are the same however many there are");
}

#[test]
fn large_changes_are_found_and_impossible_verdicts_never_occur() {
    let all = characteristics(&gates(), 3, 40).unwrap();
    let of = |part: &str| all.rates().find(|rate| rate.scenario.contains(part)).unwrap();
    assert!(of("a rate by 10 %").share() > 0.95);
    assert!(of("all of decoding by 5 %: any").share() > 0.90);
    assert!(of("by 2 %, one side after the other: any cell refused").share() > 0.95);
    let names: Vec<(&str, u32)> = all.rates().map(|rate| (rate.scenario.as_str(), rate.boots)).collect();
    let unique: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len(), "a line says by itself what it is of");
    for never in ["nothing changed, 5 trials: any cell improved", "all faster by 10 %"] {
        assert_eq!(of(never).count, 0, "{never}");
    }
    assert!(of("interleaved: any cell regressed").share() < 0.10);
    assert!(of("by 2 %, interleaved: any").share() < 0.10);
    // A second look finds no less, but for a few that a wild look ends early or that come out just below the margin.
    let (once, twice) = (of("a rate by 5 %: that cell regressed"), of("a rate by 5 %, two looks"));
    assert!(twice.share() + 0.05 >= once.share(), "{once:?} {twice:?}");
}

#[test]
fn gates_without_a_cell_to_change_are_refused() {
    for left_out in [0, 2] {
        let mut gates = gates();
        gates.remove(left_out);
        assert_eq!(characteristics(&gates, 1, 1), Err(MissingGateError));
    }
}

#[test]
fn intervals_agree_with_wilson() {
    // The formula in another language.
    for ((count, of), [low, high]) in
        [((10, 100), [0.055_229_1, 0.174_365_7]), ((0, 4000), [0.0, 0.000_959_4]), ((84, 4000), [0.016_994_6, 0.025_924_6])]
    {
        let [found_low, found_high] = rate(count, of, None).interval();
        assert!((found_low - low).abs() < 1e-5 && (found_high - high).abs() < 1e-5, "{found_low} {found_high}");
    }
}

#[test]
fn violated_requirement_is_marked_as_missed() {
    let words = |count, required| rate(count, 100, Some(required)).requirement_words();
    assert_eq!(words(2, Requirement::AtMost(0.02)), "at most 2.0 %");
    assert_eq!(words(3, Requirement::AtMost(0.02)), "at most 2.0 %: **missed**");
    assert_eq!(words(95, Requirement::AtLeast(0.95)), "at least 95.0 %");
    assert_eq!(words(94, Requirement::AtLeast(0.95)), "at least 95.0 %: **missed**");
    assert_eq!(words(1, Requirement::AtMost(0.0)), "never: **missed**");
    assert_eq!(rate(1, 100, None).row(), "| a: b | 5 | 1.0 % | 0.2 % to 5.4 % | - |\n");
}
