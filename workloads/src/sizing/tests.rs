use super::{PromptSizing, TableError, TokenTable};
use crate::corpus::{grammar, units};

#[test]
fn unusable_token_table_is_refused() {
    let units = units();
    assert_eq!(TokenTable::from_counts(&[1, 2]), Err(TableError::WrongLength { given: 2, units: units.len() }));
    let mut counts = vec![1; units.len()];
    counts[7] = 0;
    assert_eq!(TokenTable::from_counts(&counts), Err(TableError::WrongCount { unit: units[7], tokens: 0 }));
    for bytes_per_token in [0.0, -4.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(TokenTable::uniform(bytes_per_token), Err(TableError::WrongRatio { .. })), "{bytes_per_token}");
    }
}

#[test]
fn token_tables_differ_by_digest() {
    let counts = vec![1; units().len()];
    let mut other = counts.clone();
    other[0] = 2;
    let [one, two] = [counts, other].map(|counts| TokenTable::from_counts(&counts).unwrap().digest());
    assert_ne!(one, two);
    assert_eq!(one.len(), 16);
    assert_eq!(TokenTable::uniform(4.2).unwrap().digest(), TokenTable::uniform(4.2).unwrap().digest());
}

#[test]
fn uniform_table_counts_by_bytes() {
    let table = TokenTable::uniform(4.0).unwrap();
    let milli = |unit: &str| table.milli(grammar().find(unit).unwrap());
    assert_eq!(milli(" water"), 1500);
    assert_eq!(milli("."), 250);
}

#[test]
fn template_and_scale_are_counted_in() {
    let sizing = |scale| PromptSizing { table: TokenTable::uniform(4.0).unwrap(), template_tokens: 12, message_tokens: 5, scale };
    assert_eq!(sizing(1.0).planned_tokens(100_000, 1), 112);
    assert_eq!(sizing(1.0).planned_tokens(100_000, 3), 122);
    assert_eq!(sizing(1.1).planned_tokens(100_400, 1), 122);
    assert_eq!(sizing(1.0).text_for(112, 1), Some(100_000));
    assert_eq!(sizing(1.0).text_for(12, 1), None);
    for scale in [0.5, 0.97, 1.0, 1.3] {
        for tokens in [40, 1024, 65_536] {
            let text = sizing(scale).text_for(tokens, 5).unwrap();
            assert_eq!(sizing(scale).planned_tokens(text, 5), tokens, "{scale}");
        }
    }
}
