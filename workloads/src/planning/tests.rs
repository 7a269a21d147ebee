use std::{collections::HashSet, sync::Arc};

use proptest::prelude::*;
use record::{Arrival, Profile};

use super::{summary::sizing, *};
use crate::{TokenTable, cells, corpus::units};

const DRAWN: RecordedLengths = RecordedLengths::Drawn;

fn cell(profile: Profile, name: &str) -> Cell {
    cells(profile, &[]).unwrap().into_iter().find(|cell| cell.name() == name).unwrap()
}

fn planned(profile: Profile, name: &str, seed: u64) -> Plan {
    plan(&cell(profile, name), seed, &sizing(), &DRAWN).unwrap()
}

/// A tokenizer with whole tokens: one for short words, more for longer ones.
fn whole_tokens(letters_per_token: usize) -> TokenTable {
    let counts: Vec<u32> = units().iter().map(|unit| u32::try_from(unit.len().div_ceil(letters_per_token)).unwrap()).collect();
    TokenTable::from_counts(&counts).unwrap()
}

/// The first units of each prompt that begins anew.
fn heads(plan: &Plan) -> Vec<String> {
    let first = plan.requests.iter().filter(|request| request.messages.len() == 1);
    first.map(|request| corpus::split(&request.messages[0].content).take(prompt::HEAD_UNITS).collect()).collect()
}

#[test]
fn smoke_cell_is_sized_exactly_with_whole_token_table() {
    for letters_per_token in [2, 4, 7] {
        for template_tokens in [0, 12, 70] {
            let table = whole_tokens(letters_per_token);
            let sizing = PromptSizing { table, template_tokens, message_tokens: 5, scale: 1.0 };
            for cell in cells(Profile::Smoke, &[]).unwrap() {
                let plan = plan(&cell, 3, &sizing, &DRAWN).unwrap();
                check(&plan).unwrap();
                if let (Length::Fixed { tokens }, Load::Closed { .. }) = (cell.prompt_tokens, cell.load) {
                    assert!(plan.requests.iter().all(|request| request.prompt_tokens == tokens), "{}", cell.name());
                }
            }
        }
    }
}

/// The size that a plan claims is the size that its text has, counted unit by unit.
#[test]
fn planned_tokens_match_the_text() {
    let table = whole_tokens(4);
    let sizing = PromptSizing { table: table.clone(), template_tokens: 12, message_tokens: 5, scale: 1.0 };
    for cell in cells(Profile::Smoke, &[]).unwrap() {
        for request in plan(&cell, 5, &sizing, &DRAWN).unwrap().requests {
            let texts = request.messages.iter().flat_map(|message| corpus::split(&message.content));
            let text: MilliTokens = texts.map(|unit| table.milli(corpus::grammar().find(unit).unwrap())).sum();
            let template = 12 + 5 * (request.messages.len() as u64 - 1);
            assert_eq!(u64::from(request.prompt_tokens), template + text / 1000, "{} {}", cell.name(), request.id);
        }
    }
}

#[test]
fn plan_is_determined_by_its_seed() {
    for cell in cells(Profile::Smoke, &[]).unwrap() {
        let [one, same, other] = [1, 1, 2].map(|seed| plan(&cell, seed, &sizing(), &DRAWN).unwrap());
        assert_eq!(one, same);
        assert_ne!(one.digest, other.digest);
    }
}

#[test]
fn tokenizer_changes_only_the_texts_of_a_plan() {
    let cell = cell(Profile::Smoke, "office/r8");
    let [one, other] = [2, 4].map(|letters| {
        let sizing = PromptSizing { table: whole_tokens(letters), ..sizing() };
        plan(&cell, 1, &sizing, &DRAWN).unwrap().requests
    });
    for (one, other) in one.iter().zip(&other) {
        assert_ne!(one.messages, other.messages);
        let rest =
            |request: &PlannedRequest| (request.release, request.prompt_tokens, request.output_tokens, request.sampling_seed);
        assert_eq!(rest(one), rest(other));
    }
}

/// 768 prompts of the widest plan begin with 768 words, and no head comes back in another trial, its warm-up, or another point.
#[test]
fn prompts_of_a_run_have_distinct_heads() {
    let widest = cell(Profile::Full, "batch/c384");
    let first = heads(&plan(&widest, 1, &sizing(), &DRAWN).unwrap());
    let words: HashSet<&str> = first.iter().filter_map(|head| head.split(' ').next()).collect();
    assert_eq!(words.len(), 768);
    let mut all: HashSet<String> = first.into_iter().collect();
    let others = [
        plan(&widest, 2, &sizing(), &DRAWN),
        plan(&widest, 3, &sizing(), &DRAWN),
        warm_up(&widest, 1, &sizing(), &DRAWN),
        warm_up(&widest, 2, &sizing(), &DRAWN),
        plan(&cell(Profile::Full, "batch/c256"), 1, &sizing(), &DRAWN),
        plan(&cell(Profile::Full, "peak/r1.5"), 1, &sizing(), &DRAWN),
    ];
    for plan in others {
        for head in heads(&plan.unwrap()) {
            assert!(all.insert(head.clone()), "{head}");
        }
    }
}

#[test]
fn conversation_grows_by_answer_and_turn() {
    let plan = planned(Profile::Full, "multi-turn/c5", 1);
    check(&plan).unwrap();
    for (place, request) in plan.requests.iter().enumerate() {
        let turn = place / 5;
        assert_eq!(request.prompt_tokens as usize, 2048 + turn * (128 + 512));
        assert_eq!(request.messages.len(), 2 * turn + 1);
        let expected = if turn == 0 { Release::At { t_ns: 0 } } else { Release::After { request: request.id - 5 } };
        assert_eq!(request.release, expected);
        if let Some(before) = place.checked_sub(5) {
            let before = &plan.requests[before].messages;
            assert_eq!(request.messages[..before.len()], before[..]);
            assert_eq!(request.messages[before.len()].role, Role::Assistant);
            // Earlier turns are shared, not copied.
            assert!(Arc::ptr_eq(&request.messages[0].content, &before[0].content));
            let answer = (request.messages[before.len()].content.len() as f64 / 4.2).round();
            assert!((answer - 512.0).abs() <= 1.0, "{answer}");
        }
    }
}

#[test]
fn warm_up_has_same_shape_and_other_prompts() {
    for (name, requests) in [("batch/c32", 32), ("chat/c1", 1), ("multi-turn/c10", 10), ("office/r0.3", 10)] {
        let cell = cell(Profile::Full, name);
        let warm_up = warm_up(&cell, 1, &sizing(), &DRAWN).unwrap();
        check(&warm_up).unwrap();
        assert_eq!(warm_up.requests.len(), requests, "{name}");
        assert_eq!(warm_up.cell.load.target_in_flight(), cell.load.target_in_flight());
        let measured = heads(&plan(&cell, 1, &sizing(), &DRAWN).unwrap());
        assert!(heads(&warm_up).iter().all(|head| !measured.contains(head)));
    }
}

#[test]
fn office_lengths_are_uniform() {
    let plan = planned(Profile::Full, "office/r0.3", 1);
    let mean =
        |tokens: fn(&PlannedRequest) -> u32| plan.requests.iter().map(|request| f64::from(tokens(request))).sum::<f64>() / 200.0;
    // Standard errors of the mean of 200: 147 and 18 tokens.
    assert!((mean(|request| request.prompt_tokens) - 4000.0).abs() < 500.0);
    assert!((mean(|request| request.output_tokens) - 500.0).abs() < 65.0);
    assert!(plan.requests.iter().all(|request| (400..=7600).contains(&request.prompt_tokens)));
    assert!(plan.requests.iter().all(|request| (50..=950).contains(&request.output_tokens)));
}

#[test]
fn unplannable_cell_is_refused() {
    let chat = cell(Profile::Full, "chat/c1");
    let check = |cell: &Cell, sizing: &PromptSizing, part: &str| {
        let error = plan(cell, 1, sizing, &DRAWN).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    check(&Cell { workload: "caht".to_owned(), ..chat.clone() }, &sizing(), "did you mean `chat`?");
    check(&Cell { prompt_tokens: Length::Fixed { tokens: 24 }, ..chat.clone() }, &sizing(), "24 tokens are too few");
    check(&Cell { prompt_tokens: Length::Recorded { high: 24 }, ..chat.clone() }, &sizing(), "come in pairs");
    check(&chat, &PromptSizing { template_tokens: 2000, ..sizing() }, "1024 tokens are too few");
    check(&chat, &PromptSizing { scale: f64::NAN, ..sizing() }, "a scale of NaN");
    let silent = Load::Open { rate_per_s: 0.0, arrival: Arrival::Poisson, requests: 3 };
    check(&Cell { load: silent, ..chat.clone() }, &sizing(), "a rate of 0 per second");
    let talk = Load::Conversations { conversations: 1, turns: 2 };
    check(&Cell { load: talk, ..chat }, &sizing(), "not made of conversations");
}

#[test]
fn burst_releases_all_requests_at_zero() {
    let load = Load::Open { rate_per_s: 0.0, arrival: Arrival::AllAtOnce, requests: 4 };
    let plan = plan(&Cell { load, ..cell(Profile::Smoke, "office/r8") }, 1, &sizing(), &DRAWN).unwrap();
    check(&plan).unwrap();
    assert!(plan.requests.iter().all(|request| request.release == Release::At { t_ns: 0 }));
}

#[test]
fn broken_plan_is_refused() {
    let broken = |name: &str, part: &str, damage: fn(&mut Plan)| {
        let mut plan = planned(Profile::Smoke, name, 1);
        check(&plan).unwrap();
        damage(&mut plan);
        let error = check(&plan).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    broken("chat/c4", "7 requests instead of 8", |plan| drop(plan.requests.pop()));
    broken("chat/c4", "request 9 stands at place 2", |plan| plan.requests[2].id = 9);
    broken("chat/c4", "request 2 asks for nothing", |plan| plan.requests[2].output_tokens = 0);
    broken("chat/c4", "request 2 asks for nothing", |plan| plan.requests[2].messages.clear());
    broken("chat/c4", "request 5 waits for 5", |plan| plan.requests[5].release = Release::After { request: 5 });
    broken("chat/c4", "requests 1 and 6 begin alike", |plan| plan.requests[6].messages = plan.requests[1].messages.clone());
    broken("office/r8", "request 3 is earlier", |plan| plan.requests[3].release = Release::At { t_ns: 0 });
    broken("office/r8", "request 3 of an open loop waits", |plan| plan.requests[3].release = Release::After { request: 1 });
    broken("multi-turn/c2", "request 4 does not continue request 2", |plan| plan.requests[4].messages.swap(0, 1));
    broken("multi-turn/c2", "requests 0 and 1 begin alike", |plan| {
        let first = plan.requests[0].messages.clone();
        for request in plan.requests.iter_mut().skip(1).step_by(2) {
            request.messages[0] = first[0].clone();
        }
    });
}

#[test]
fn plan_digest_covers_everything_sent() {
    let plan = planned(Profile::Smoke, "office/r8", 1);
    assert_eq!(plan.digest, digest(&plan.requests));
    let damages: [fn(&mut PlannedRequest); 6] = [
        |request| request.release = Release::At { t_ns: u64::MAX },
        |request| request.prompt_tokens += 1,
        |request| request.output_tokens += 1,
        |request| request.structured = true,
        |request| request.sampling_seed ^= 1,
        |request| request.messages[0].role = Role::System,
    ];
    for damage in damages {
        let mut requests = plan.requests.clone();
        damage(requests.last_mut().unwrap());
        assert_ne!(digest(&requests), plan.digest);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn prompt_of_any_length_is_within_a_token(
        seed: u64,
        tokens in 150u32..9000,
        letters in 1usize..9,
        bytes_per_token in 2.0f64..7.0,
        whole: bool,
        scale in 0.8f64..1.25,
    ) {
        let table = if whole { whole_tokens(letters) } else { TokenTable::uniform(bytes_per_token).unwrap() };
        let sizing = PromptSizing { table, template_tokens: 12, message_tokens: 5, scale };
        let load = Load::Closed { streams: 2, requests_per_stream: 1 };
        let cell = Cell { load, prompt_tokens: Length::Fixed { tokens }, ..cell(Profile::Smoke, "chat/c1") };
        match plan(&cell, seed, &sizing, &DRAWN) {
            Ok(plan) => for request in &plan.requests {
                let near = request.prompt_tokens.abs_diff(tokens);
                prop_assert!(near <= u32::from(scale > 1.0), "{} instead of {tokens}", request.prompt_tokens);
            },
            // A token per letter or two leaves no room below a few hundred tokens.
            Err(error) => prop_assert!(tokens < 600 && matches!(error, PlanError::TooShort { .. }), "{error}"),
        }
    }

    #[test]
    fn recorded_lengths_are_met_exactly(seed: u64, letters in 2usize..8, template_tokens in 0u32..100) {
        let sizing = PromptSizing { table: whole_tokens(letters), template_tokens, message_tokens: 5, scale: 1.0 };
        let cell = cell(Profile::Smoke, "sharegpt/r8");
        let plan = plan(&cell, seed, &sizing, &DRAWN).unwrap();
        check(&plan).unwrap();
        let mut rng = Planner::new(cell.clone(), seed, "measured", &sizing).unwrap().rng("lengths");
        let pairs = DRAWN.draw(cell.prompt_tokens, cell.output_tokens, 24, &mut rng).unwrap();
        for (request, pair) in plan.requests.iter().zip(pairs) {
            prop_assert_eq!(request.prompt_tokens, pair.prompt_tokens + template_tokens);
            prop_assert_eq!(request.output_tokens, pair.output_tokens);
        }
    }
}

/// `cargo test --release -p workloads -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, for people"]
#[expect(clippy::disallowed_methods, reason = "this measures planning itself")]
fn planning_time_of_standard_suite() {
    let start = std::time::Instant::now();
    let (mut requests, mut tokens) = (0, 0);
    for cell in cells(Profile::Standard, &[]).unwrap() {
        let plan = plan(&cell, 1, &sizing(), &DRAWN).unwrap();
        requests += plan.requests.len();
        tokens += plan.requests.iter().map(|request| u64::from(request.prompt_tokens)).sum::<u64>();
    }
    println!("{requests} requests, {tokens} prompt tokens in {:?}", start.elapsed());
}
