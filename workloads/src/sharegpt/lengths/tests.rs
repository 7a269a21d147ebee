use proptest::prelude::*;
use record::Length;

use super::*;
use crate::rng::Rng;

const PROMPT: Length = Length::Recorded { high: MOST_PROMPT_TOKENS };
const OUTPUT: Length = Length::Recorded { high: MOST_TOKENS };

fn draw(source: &RecordedLengths, requests: u32, seed: u64) -> Vec<RecordedPair> {
    source.draw(PROMPT, OUTPUT, requests, &mut Rng::new("lengths", seed)).unwrap()
}

#[test]
fn drawn_means_match_published_ones() {
    let pairs = draw(&RecordedLengths::Drawn, 200_000, 1);
    let mean = |tokens: fn(&RecordedPair) -> u32| pairs.iter().map(|pair| f64::from(tokens(pair))).sum::<f64>() / 2e5;
    // Standard errors are 0.5 and 0.45 tokens.
    let prompt = mean(|pair| pair.prompt_tokens);
    let output = mean(|pair| pair.output_tokens);
    assert!((prompt - MEAN_PROMPT_TOKENS).abs() < 2.0, "{prompt}");
    assert!((output - MEAN_OUTPUT_TOKENS).abs() < 1.8, "{output}");
}

#[test]
fn drawn_outputs_match_published_spread() {
    let mut outputs: Vec<u32> = draw(&RecordedLengths::Drawn, 100_000, 2).iter().map(|pair| pair.output_tokens).collect();
    outputs.sort_unstable();
    assert!((95..=115).contains(&outputs[50_000]), "median {}", outputs[50_000]);
    assert!((400..=460).contains(&outputs[90_000]), "90th percentile {}", outputs[90_000]);
}

#[test]
fn pair_filter_matches_vllm() {
    let check = |prompt_tokens, output_tokens, kept| {
        assert_eq!(RecordedPair { prompt_tokens, output_tokens }.is_kept(), kept, "{prompt_tokens} {output_tokens}");
    };
    check(4, 4, true);
    check(3, 100, false);
    check(100, 3, false);
    check(1024, 1024, true);
    check(1025, 10, false);
    check(1024, 1025, false);
    check(u32::MAX, u32::MAX, false);
}

#[test]
fn file_pairs_above_the_maximum_are_left_out() {
    let pairs =
        [(10, 20), (30, 40), (500, 60)].map(|(prompt_tokens, output_tokens)| RecordedPair { prompt_tokens, output_tokens });
    let file = RecordedLengths::File { sha256: "ab".to_owned(), conversations: pairs.to_vec() };
    let drawn = draw(&file, 100, 1);
    assert!(pairs.iter().all(|pair| drawn.contains(pair)));
    assert!(drawn.iter().all(|pair| pairs.contains(pair)));
    let mut rng = Rng::new("lengths", 1);
    let short = Length::Recorded { high: 25 };
    let drawn = file.draw(short, OUTPUT, 10, &mut rng).unwrap();
    assert!(drawn.iter().all(|pair| *pair == pairs[0]));
    assert_eq!(file.draw(Length::Recorded { high: 5 }, OUTPUT, 10, &mut rng), None);
}

#[test]
fn length_sources_describe_themselves() {
    let file = RecordedLengths::File { sha256: "ab".to_owned(), conversations: Vec::new() };
    insta::assert_snapshot!(RecordedLengths::Drawn.describe(), @"drawn: independent lognormal, log mean 5.140992 and sd 1.4 (prompt), 4.709553 and 1.05 (output)");
    insta::assert_snapshot!(file.describe(), @"file: 0 conversations kept of a file with SHA-256 ab, lengths counted as words x 4/3");
}

proptest! {
    #[test]
    fn every_drawn_pair_is_kept(seed: u64) {
        prop_assert!(draw(&RecordedLengths::Drawn, 50, seed).iter().all(|pair| pair.is_kept()));
    }
}
