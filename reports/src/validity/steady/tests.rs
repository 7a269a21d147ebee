use record::{Arrival, Outcome};

use super::*;
use crate::{
    fixture::{MS, S, cell, even, trial},
    validity::Validity,
};

const US: u64 = 1000;

/// Whole numbers below `below` that look like chance, the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// TPOT in microseconds: 20 ms, and 9 ms more for the first so many.
fn step(requests: usize, slow: usize) -> Vec<u64> {
    (0..requests).map(|place| if place < slow { 29_000 } else { 20_000 }).collect()
}

/// The same with up to 2 ms more by chance.
fn noisy(requests: usize, slow: usize) -> Vec<u64> {
    let mut noise = Noise(3);
    step(requests, slow).into_iter().map(|tpot_us| tpot_us + noise.next(2000)).collect()
}

fn open(requests: usize) -> Load {
    Load::Open { rate_per_s: 1.0, arrival: Arrival::Constant, requests: u32::try_from(requests).unwrap() }
}

/// An open loop of one request a second with these TPOT.
fn open_loop(workload: &str, tpot_us: &[u64]) -> Trial {
    let observation = |(place, us): (usize, &u64)| even(place as u64 * S, 100 * MS, us * US, 20);
    trial(cell(workload, "r1", open(tpot_us.len())), tpot_us.iter().enumerate().map(observation).collect())
}

fn judged(trial: &Trial) -> String {
    let mut reasons = Vec::new();
    judge(trial, &mut reasons);
    reasons.iter().map(|reason| format!("{}: {}", reason.validity.word(), reason.text)).collect::<Vec<_>>().join("\n")
}

#[test]
fn steady_trial_has_no_reasons() {
    for requests in [199, 200, 500, 800] {
        assert_eq!(judged(&open_loop("office", &noisy(requests, 0))), "", "{requests}");
        assert_eq!(judged(&open_loop("office", &step(requests, 0))), "", "{requests}");
    }
}

#[test]
fn number_of_requests_decides_between_suspect_and_invalid() {
    let word = |requests: usize| {
        let text = judged(&open_loop("office", &step(requests, requests * 2 / 5)));
        text.split_once(':').map(|(word, _)| word.to_owned()).unwrap_or_default()
    };
    assert_eq!([199, 200, 499, 500].map(word), ["", "suspect", "suspect", "invalid"]);
    insta::assert_snapshot!(judged(&open_loop("office", &noisy(250, 100))), @"suspect: TPOT is not steady: MSER-5 would cut the first 110 of 250 requests (neighbours among the others correlate by -0.153, so that all are worth 250 independent ones)");
    insta::assert_snapshot!(judged(&open_loop("office", &noisy(800, 300))), @"invalid: TPOT is not steady: MSER-5 would cut the first 315 of 800 requests (neighbours among the others correlate by 0.00882, so that all are worth 786 independent ones)");
}

#[test]
fn cut_of_up_to_a_quarter_is_a_note() {
    insta::assert_snapshot!(judged(&open_loop("office", &step(800, 200))), @"valid: TPOT settled late: MSER-5 would cut the first 200 of 800 requests (neighbours among the others correlate by 0, so that all are worth 800 independent ones)");
    insta::assert_snapshot!(judged(&open_loop("office", &step(800, 201))), @"invalid: TPOT is not steady: MSER-5 would cut the first 205 of 800 requests (neighbours among the others correlate by 0, so that all are worth 800 independent ones)");
}

#[test]
fn autocorrelated_requests_have_a_smaller_effective_size() {
    // Each the mean of itself and the 19 before it, as in a batch that changes slowly.
    let smooth = |values: &[u64]| -> Vec<u64> { values.windows(20).map(|last| last.iter().sum::<u64>() / 20).collect() };
    insta::assert_snapshot!(judged(&open_loop("office", &smooth(&noisy(819, 320)))), @"valid: TPOT may not be steady: MSER-5 would cut the first 320 of 800 requests (neighbours among the others correlate by 0.944, so that all are worth 22.9 independent ones)");
    assert_eq!(judged(&open_loop("office", &smooth(&noisy(819, 60)))), "");
    // Those that repel each other are worth no more than they are.
    let repelling: Vec<u64> =
        step(499, 200).iter().enumerate().map(|(place, tpot_us)| tpot_us + 100 * (place as u64 % 2)).collect();
    assert!(judged(&open_loop("office", &repelling)).ends_with("are worth 499 independent ones)"));
}

#[test]
fn overload_and_conversations_are_not_judged() {
    let tpot_us = step(800, 300);
    assert_eq!(judged(&open_loop(OVERLOAD_WORKLOAD, &tpot_us)), "");
    let mut conversation = open_loop("multi-turn", &tpot_us);
    conversation.cell.load = Load::Conversations { conversations: 8, turns: 100 };
    assert_eq!(judged(&conversation), "");
}

#[test]
fn first_and_last_requests_of_a_closed_loop_are_left_out() {
    let closed = |streams: u32, tpot_us: &[u64]| {
        let requests_per_stream = u32::try_from(tpot_us.len()).unwrap() / streams;
        let mut trial = open_loop("batch", tpot_us);
        trial.cell.load = Load::Closed { streams, requests_per_stream };
        trial
    };
    let tpot_us = step(800, 220);
    assert!(
        judged(&closed(1, &tpot_us)).starts_with("invalid: TPOT is not steady: MSER-5 would cut the first 220 of 798 requests")
    );
    assert!(
        judged(&closed(200, &tpot_us)).starts_with("valid: TPOT settled late: MSER-5 would cut the first 20 of 400 requests")
    );
    assert_eq!(judged(&closed(220, &tpot_us)), "", "those between them are all alike");
    assert_eq!(judged(&closed(400, &tpot_us)), "", "nothing is left");
}

#[test]
fn served_requests_are_judged_in_the_order_of_their_start() {
    let mut trial = open_loop("office", &noisy(800, 300));
    let expected = judged(&trial);
    trial.observations.reverse();
    for (request, observation) in trial.observations.iter_mut().enumerate() {
        observation.request = u32::try_from(request).unwrap();
    }
    assert_eq!(judged(&trial), expected);
    for observation in trial.observations.iter_mut().take(601) {
        observation.outcome = Outcome::TimedOut { detail: String::new() };
    }
    assert_eq!(judged(&trial), "", "199 are left");
}

#[test]
fn chance_alone_seldom_makes_a_trial_suspect() {
    let count = |requests: usize, least: Validity| {
        let mut noise = Noise(1);
        let trials = 200;
        let found = (0..trials).filter(|_| {
            let tpot_us: Vec<u64> = (0..requests).map(|_| 20_000 + noise.next(2000)).collect();
            let mut reasons = Vec::new();
            judge(&open_loop("office", &tpot_us), &mut reasons);
            reasons.iter().any(|reason| reason.validity >= least)
        });
        found.count()
    };
    let (suspect, invalid) = (count(250, Validity::Suspect), count(500, Validity::Invalid));
    assert!(suspect <= 8 && invalid <= 2, "{suspect} of 200 suspect, {invalid} of 200 invalid");
}
