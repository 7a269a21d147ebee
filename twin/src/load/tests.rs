//! Loads whose outcome is known.

use super::{BadLoad, Load, Release, Request, serve};
use crate::server::{AdmissionError, DecodeCost, Noise, Params, PrefillCost};

/// A step takes `base_ns`, whatever it does.
fn fixed(base_ns: u64, max_sequences: u32) -> Params {
    Params {
        max_sequences,
        accept_ns: 0,
        decode: DecodeCost {
            base_ns,
            per_sequence_ns: 0,
            per_context_token_ps: 0,
            experts_ns: 0,
            expert_share_ppm: 0,
            expert_choice_ppm: 1_000_000,
        },
        prefill: PrefillCost::default(),
        noise: Noise { boot_ppm: 0, trial_ppm: 0, step_ppm: 0 },
        ..Params::default()
    }
}

fn at(t_ns: u64, output_tokens: u32) -> Request {
    Request { release: Release::At(t_ns), prompt_tokens: 10, cached_tokens: 0, output_tokens }
}

/// First and last token of each, in milliseconds.
fn served_ms(params: &Params, requests: Vec<Request>, max_in_flight: Option<usize>) -> Vec<(u64, u64, u64)> {
    let served = serve(params, 1, &Load { requests, max_in_flight }).unwrap();
    served.iter().map(|one| (one.sent_ns / 1_000_000, one.first_ns / 1_000_000, one.last_ns / 1_000_000)).collect()
}

#[test]
fn single_slot_serves_in_turn() {
    let params = fixed(10_000_000, 1);
    assert_eq!(served_ms(&params, vec![at(0, 3), at(0, 2), at(7_000_000, 1)], None), [(0, 10, 30), (0, 40, 50), (7, 60, 60)]);
}

#[test]
fn followers_wait_for_their_predecessors_and_the_in_flight_limit() {
    let params = fixed(10_000_000, 8);
    let after = |request| Request { release: Release::After(request), ..at(0, 2) };
    assert_eq!(served_ms(&params, vec![at(0, 2), after(0), after(1)], None), [(0, 10, 20), (20, 30, 40), (40, 50, 60)]);
    // Two in flight: the third is sent when the first ends, as the next step has just been formed; the fourth when the third ends.
    let served = served_ms(&params, vec![at(0, 2), at(0, 4), at(0, 1), at(0, 1)], Some(2));
    assert_eq!(served, [(0, 10, 20), (0, 10, 40), (20, 40, 40), (40, 50, 50)]);
}

#[test]
fn asynchronous_scheduling_delays_arrivals_by_one_step() {
    let sync = fixed(10_000_000, 8);
    let asynchronous = Params { async_scheduling: true, ..sync.clone() };
    let requests = || vec![at(0, 9), at(3_000_000, 2)];
    assert_eq!(served_ms(&sync, requests(), None)[1], (3, 20, 30));
    assert_eq!(served_ms(&asynchronous, requests(), None)[1], (3, 30, 40));
    // An idle server serves at once, and one that becomes idle in the step admits the waiting requests.
    assert_eq!(served_ms(&asynchronous, vec![at(5_000_000, 1), at(8_000_000, 1)], None), [(5, 15, 15), (8, 25, 25)]);
}

#[test]
fn load_that_cannot_be_served_is_refused() {
    let refused = |requests| serve(&fixed(1, 1), 1, &Load { requests, max_in_flight: None }).unwrap_err();
    let stuck = Load { requests: vec![at(0, 1)], max_in_flight: Some(0) };
    assert_eq!(serve(&fixed(1, 1), 1, &stuck), Err(BadLoad::NothingInFlight));
    let loop_ = Request { release: Release::After(0), ..at(0, 1) };
    assert_eq!(refused(vec![loop_]), BadLoad::NeverSent { index: 0, after: 0 });
    assert_eq!(refused(vec![at(0, 1), at(0, 0)]), BadLoad::Refused { index: 1, why: AdmissionError::Empty });
}
