use std::collections::BTreeSet;

use super::*;

/// An order as letters: a is the baseline.
fn letters(order: &[Side]) -> String {
    order.iter().map(|side| if *side == Side::Baseline { 'a' } else { 'b' }).collect()
}

fn sides(letters: &str) -> Vec<Side> {
    letters.chars().map(|letter| if letter == 'a' { Side::Baseline } else { Side::Candidate }).collect()
}

#[test]
fn seed_decides_between_abba_and_baab_blocks() {
    let orders: BTreeSet<String> = (0..64).map(|seed| letters(&order(2, seed))).collect();
    assert_eq!(orders, BTreeSet::from(["abba".to_owned(), "baab".to_owned()]));
    let odd: BTreeSet<String> = (0..64).map(|seed| letters(&order(3, seed))).collect();
    assert_eq!(odd.len(), 4, "{odd:?}");
    assert_eq!(letters(&order(5, 1)), letters(&order(5, 1)));
    assert_eq!(order(0, 1), []);
}

#[test]
fn order_is_balanced_where_a_linear_drift_cancels() {
    let table = [("abba", true), ("baab", true), ("abbaab", true), ("ab", true), ("abbabaabba", true)];
    let none =
        [("", false), ("aabb", false), ("abab", false), ("abb", false), ("aaabbb", false), ("aaaa", false), ("abbaabab", false)];
    for (order, balanced) in table.into_iter().chain(none) {
        assert_eq!(is_balanced(&sides(order)), balanced, "{order}");
    }
}

#[test]
fn splitmix_agrees_with_published_values() {
    let mut chance = SplitMix(1_234_567);
    let words: Vec<u64> = (0..3).map(|_| chance.word()).collect();
    assert_eq!(words, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
}
