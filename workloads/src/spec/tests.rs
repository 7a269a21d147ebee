use std::fmt::Write as _;

use record::{Length, Load, Metric, Profile};

use super::{UnknownWorkload, cells, defaults, find, with_recorded_lengths};
use crate::{ALL, RecordedLengths, gates};

fn named(profile: Profile, names: &[&str]) -> Result<Vec<String>, UnknownWorkload> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    Ok(cells(profile, &names)?.iter().map(record::Cell::name).collect())
}

#[test]
fn profiles_take_their_cells() {
    let mut text = String::new();
    for &profile in Profile::ALL {
        let names = named(profile, &[]).unwrap();
        let repeats = defaults(profile);
        writeln!(text, "{profile}: {} cells, {} boots of {} trials", names.len(), repeats.boots, repeats.trials_per_boot)
            .unwrap();
        writeln!(text, "  {}", names.join(" ")).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn each_profile_contains_the_one_before() {
    let [quick, standard, full] = [Profile::Quick, Profile::Standard, Profile::Full].map(|profile| cells(profile, &[]).unwrap());
    assert_eq!(full.len(), 43);
    assert!(quick.iter().all(|cell| standard.contains(cell)));
    assert!(standard.iter().all(|cell| full.contains(cell)));
    for spec in ALL {
        assert!(quick.iter().any(|cell| cell.workload == spec.name), "{} is not in quick", spec.name);
    }
}

#[test]
fn names_are_unique_and_found() {
    for (place, spec) in ALL.iter().enumerate() {
        assert_eq!(ALL.iter().position(|other| other.name == spec.name), Some(place));
        assert_eq!(find(spec.name), Some(*spec));
        for points in [spec.points, spec.smoke] {
            for (place, point) in points.iter().enumerate() {
                assert_eq!(points.iter().position(|other| other.name == point.name), Some(place), "{}", spec.name);
            }
        }
    }
}

#[test]
fn selection_keeps_suite_order() {
    let names = named(Profile::Quick, &["office", "chat", "office"]).unwrap();
    assert_eq!(names, ["chat/c1", "chat/c10", "office/r0.3"]);
}

#[test]
fn unknown_workload_is_refused_with_nearest_name() {
    let check = |name: &str, nearest| {
        let error = named(Profile::Quick, &["chat", name]).unwrap_err();
        assert_eq!(error.nearest, nearest, "{name}");
    };
    check("chta", Some("chat"));
    check("longoutput", Some("long-output"));
    check("multi_turn", Some("multi-turn"));
    check("xyzzy", None);
    insta::assert_snapshot!(named(Profile::Full, &["pak"]).unwrap_err(), @"there is no workload `pak`, did you mean `peak`?; there are chat, rag, long-output, multi-turn, long-prefill, batch, office, sharegpt, peak");
}

#[test]
fn workload_hash_covers_the_load_but_not_its_description() {
    let spec = crate::chat::SPEC;
    let hash = spec.hash(false);
    assert_ne!(hash, spec.hash(true));
    let described = crate::WorkloadSpec { title: "another", question: "another?", ..spec.clone() };
    assert_eq!(described.hash(false), hash);
    let asked = [
        crate::WorkloadSpec { version: 2, ..spec.clone() },
        crate::WorkloadSpec { structured: true, ..spec.clone() },
        crate::WorkloadSpec { points: &spec.points[..2], ..spec.clone() },
        crate::WorkloadSpec { instructions: &["Answer."], ..spec.clone() },
    ];
    for changed in asked {
        assert_ne!(changed.hash(false), hash, "{changed:?}");
    }
}

#[test]
fn length_sources_have_distinct_hashes() {
    let plain = cells(Profile::Full, &[]).unwrap();
    let file = |sha256: &str| RecordedLengths::File { sha256: sha256.to_owned(), conversations: Vec::new() };
    let sources = [RecordedLengths::Drawn, file("ab"), file("cd")];
    let hashed = sources.each_ref().map(|source| with_recorded_lengths(plain.clone(), source));
    let mut distinct = std::collections::BTreeSet::new();
    for cells in &hashed {
        for (cell, plain) in cells.iter().zip(&plain) {
            let is_recorded = cell.workload == "sharegpt";
            assert_eq!(cell.workload_hash != plain.workload_hash, is_recorded, "{}", cell.name());
            if is_recorded {
                assert_eq!(cell.workload_hash.len(), plain.workload_hash.len());
                distinct.insert(cell.workload_hash.clone());
            }
        }
    }
    assert_eq!(distinct.len(), sources.len());
    assert_eq!(with_recorded_lengths(plain, &RecordedLengths::Drawn), hashed[0]);
}

#[test]
fn only_open_loops_have_an_slo() {
    for spec in ALL {
        assert_eq!(spec.slo.is_some(), spec.is_open(), "{}", spec.name);
        assert_eq!(spec.turn_tokens.is_some(), matches!(spec.points[0].load, Load::Conversations { .. }), "{}", spec.name);
    }
}

/// The miniature must run in seconds on a tiny model with a context of 2048 tokens.
#[test]
fn miniature_is_small() {
    for spec in ALL {
        for point in spec.smoke {
            let turns = match point.load {
                Load::Conversations { turns, .. } => turns,
                _ => 1,
            };
            let (prompt, output) = (point.prompt_tokens.high(), point.output_tokens.high());
            assert!(prompt <= 512 && output <= 48, "{} {}", spec.name, point.name);
            let context = prompt + (turns - 1) * (spec.turn_tokens.unwrap_or(0) + output) + output;
            assert!(context <= 1400, "{} {} has a context of {context}", spec.name, point.name);
            assert!(point.load.target_in_flight().unwrap_or(0) <= 16);
        }
        for point in spec.points {
            assert!(!matches!(point.prompt_tokens, Length::Uniform { low, high } if low >= high));
        }
    }
}

/// A verdict rests on them: each exists, is taken by a standard run, and has the requests that its percentile needs.
#[test]
fn gates_are_few_and_supported() {
    let standard = cells(Profile::Standard, &[]).unwrap();
    for spec in ALL {
        assert!((1..=2).contains(&spec.gates.len()), "{}", spec.name);
        for gate in spec.gates {
            let cell = standard.iter().find(|cell| cell.workload == spec.name && cell.point == gate.point).unwrap();
            let needed = match gate.metric {
                Metric::TtftP95Ns => 100,
                Metric::TtftP50Ns => 30,
                // Sums over a trial, and prefill at one stream, whose few requests differ by next to nothing.
                Metric::OutputTokS | Metric::PrefillTokS => 1,
                other => panic!("{other} has no rule"),
            };
            assert!(cell.load.requests() >= needed, "{} {}", cell.name(), gate.metric);
            assert!((0.02..=0.15).contains(&gate.margin));
        }
    }
    let family = gates(&standard);
    assert_eq!(family.len(), ALL.iter().map(|spec| spec.gates.len()).sum::<usize>());
    assert!(
        family
            .iter()
            .all(|gate| gate.paired_by_seed == ["office", "sharegpt", "peak"].iter().any(|open| gate.cell.starts_with(open)))
    );
    assert!(gates(&cells(Profile::Smoke, &[]).unwrap()).is_empty());
    let quick = gates(&cells(Profile::Quick, &[]).unwrap());
    assert!(quick.len() >= 6 && quick.iter().all(|gate| family.contains(gate)), "{}", quick.len());
}
