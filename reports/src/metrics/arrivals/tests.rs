use proptest::prelude::*;
use record::{Chunk, Chunks, TokenSource};

use super::*;
use crate::fixture::served;

/// (time, gap, tokens) of each arrival after the first.
fn triples(observation: &Observation) -> Vec<(u64, u64, u32)> {
    rest(observation).map(|arrival| (arrival.t_ns, arrival.gap_ns, arrival.tokens)).collect()
}

#[test]
fn chunks_become_arrivals() {
    type Row = (&'static str, &'static [(u64, u32)], (u64, u32), &'static [(u64, u64, u32)]);
    let table: [Row; 6] = [
        ("one token each", &[(10, 1), (20, 2), (30, 3)], (10, 1), &[(20, 10, 1), (30, 10, 1)]),
        ("several tokens in a chunk", &[(10, 4), (20, 8), (40, 9)], (10, 4), &[(20, 10, 4), (40, 20, 1)]),
        ("frames of one read", &[(10, 1), (20, 2), (20, 3), (30, 4)], (10, 1), &[(20, 10, 2), (30, 10, 1)]),
        ("frames of the first read", &[(10, 1), (10, 2), (20, 3)], (10, 2), &[(20, 10, 1)]),
        ("text that raised no count", &[(10, 1), (20, 1), (30, 2)], (10, 1), &[(30, 20, 1)]),
        ("a count that lags behind the text", &[(10, 0), (20, 2), (30, 2)], (10, 1), &[(20, 10, 1)]),
    ];
    for (name, chunks, in_first, expected) in table {
        let observation = served(0, 0, chunks);
        assert_eq!(first(&observation), Some(in_first), "{name}");
        assert_eq!(triples(&observation), expected, "{name}");
    }
}

#[test]
fn role_only_chunk_is_no_arrival() {
    // An event at 5 opens the message with a role and a count of 0; the first text comes at 10.
    let observation =
        Observation { first_event_ns: Some(5), first_token_ns: Some(10), ..served(0, 0, &[(5, 0), (10, 1), (20, 2)]) };
    assert_eq!(first(&observation), Some((10, 1)));
    assert_eq!(triples(&observation), [(20, 10, 1)]);
}

#[test]
fn chunks_without_token_count_have_no_arrivals() {
    let observation = Observation { token_source: TokenSource::None, ..served(0, 0, &[(10, 1), (20, 2)]) };
    assert_eq!(first(&observation), None);
    assert_eq!(triples(&observation), []);
    let observation = Observation { first_token_ns: None, ..served(0, 0, &[(10, 1)]) };
    assert_eq!(first(&observation), None);
}

proptest! {
    #[test]
    fn arrivals_add_up_to_the_time_and_tokens_of_the_request(steps in prop::collection::vec((0_u64..5, 0_u32..4), 1..50)) {
        let (mut t_ns, mut tokens) = (100, 1);
        let chunks = Chunks(steps.into_iter().map(|(gap, added)| {
            (t_ns, tokens) = (t_ns + gap, tokens + added);
            Chunk { t_ns, tokens }
        }).collect());
        let observation = Observation { first_token_ns: Some(chunks[0].t_ns), chunks, ..served(0, 0, &[(100, 1)]) };
        let (first_ns, in_first) = first(&observation).unwrap();
        let last_count = observation.chunks.last().unwrap().tokens;
        let last_rise = observation.chunks.iter().find(|chunk| chunk.tokens == last_count).unwrap();
        let arrivals: Vec<_> = rest(&observation).collect();
        prop_assert_eq!(in_first + arrivals.iter().map(|arrival| arrival.tokens).sum::<u32>(), last_count);
        prop_assert_eq!(arrivals.iter().map(|arrival| arrival.gap_ns).sum::<u64>(), last_rise.t_ns - first_ns);
        prop_assert!(arrivals.iter().all(|arrival| arrival.gap_ns > 0 && arrival.tokens > 0));
    }
}
