//! Run requests, and what becomes of them. What is refused is refused before anything is started or written.

use std::path::Path;

use bench::{BenchError, RunOutcome, measure, read_request};
use record::{ClientCore, EndReason, ExitCode, Profile, RunRequest, Side, SimulatedSpark, Target, recipe::parse};

fn request(out: &Path) -> RunRequest {
    RunRequest {
        target: Target::Simulated(SimulatedSpark::default()),
        against: None,
        workloads: vec!["chat".to_owned()],
        profile: Profile::Smoke,
        boots: None,
        first_boot: 0,
        trials: None,
        seed: 1,
        out_dir: out.to_path_buf(),
        testbed_dir: None,
        hf_cache_dir: None,
        cache_dir: None,
        tokenizer: None,
        sharegpt: None,
        command: vec!["sparkgauge".to_owned(), "bench".to_owned()],
        wait: false,
        client_core: ClientCore::Auto,
        allow_unpinned: false,
        stop_at_eof: false,
        commit: None,
        instrument: None,
    }
}

fn recipe(more: &str) -> Target {
    let text = format!("name = 'x'\nengine = 'other'\ndialect = 'openai'\n[model]\nid = 'm'\n{more}\n");
    Target::Recipe { recipe: Box::new(parse(&text, "x.toml", "x").unwrap()), folder: "recipes".into() }
}

const PROCESS: &str = "[process]\ncommand = ['no-such-program', '${PORT}']";
const ATTACH: &str = "[attach]\nurl = 'http://127.0.0.1:1'";

/// Refused with that exit code and those words, and nothing was written.
#[track_caller]
fn check_refused(change: impl FnOnce(&mut RunRequest), code: ExitCode, says: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(&folder.path().join("run"));
    change(&mut request);
    let outcome = measure(&request);
    let why = outcome.ended.as_ref().unwrap_err().to_string();
    assert!(why.contains(says), "`{says}` is not in: {why}");
    assert_eq!(outcome.exit_code(), code, "{why}");
    assert!(outcome.workloads.is_empty() && !folder.path().join("run").exists(), "nothing is written");
}

#[test]
fn simulated_spark_is_measured_and_its_record_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let request = request(&folder.path().join("run"));
    let RunOutcome { ended, workloads } = measure(&request);
    assert_eq!(ended.unwrap(), EndReason::Finished);
    let [chat] = &workloads[..] else { panic!("{workloads:?}") };
    assert_eq!((chat.name().as_str(), chat.is_measured, chat.invalid.len()), ("chat", true, 0));

    let again = measure(&request);
    assert!(matches!(&again.ended, Err(BenchError::Exists { folder }) if *folder == request.out_dir), "{:?}", again.ended);
    assert_eq!(again.exit_code(), ExitCode::Engine);
}

#[test]
fn two_sides_leave_a_record_each() {
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(&folder.path().join("run"));
    request.against = Some(Target::Simulated(SimulatedSpark::default()));
    let outcome = measure(&request);
    assert_eq!(outcome.exit_code(), ExitCode::Success, "{:?}", outcome.ended);
    let sides: Vec<_> = outcome.workloads.iter().map(|workload| (workload.side, workload.name())).collect();
    let expected: Vec<_> = Side::ALL.iter().map(|&side| (Some(side), format!("{side}: chat"))).collect();
    assert_eq!(sides, expected);
}

#[test]
fn contradictory_request_is_refused() {
    let usage = ExitCode::Usage;
    check_refused(|request| request.workloads = vec!["caht".to_owned()], usage, "did you mean `chat`?");
    check_refused(|request| request.client_core = ClientCore::Number(0), usage, "virtual time");
    check_refused(|request| request.sharegpt = Some(("lengths.json".into(), None)), usage, "lengths.json");
    check_refused(|request| request.against = Some(recipe(PROCESS)), usage, "the simulated Spark lives in virtual time");
    let attached = |request: &mut RunRequest| {
        (request.target, request.against) = (recipe(PROCESS), Some(recipe(ATTACH)));
    };
    check_refused(attached, usage, "cannot be booted in turns");
    let secret = |request: &mut RunRequest| {
        request.target = recipe(PROCESS);
        let Target::Recipe { recipe, .. } = &mut request.target else { return };
        recipe.secrets = vec!["SPARKGAUGE_NO_SUCH_TOKEN".to_owned()];
    };
    check_refused(secret, usage, "needs the environment variable SPARKGAUGE_NO_SUCH_TOKEN");
}

#[test]
#[cfg(not(all(feature = "container", feature = "tokenizer")))]
fn request_for_a_missing_feature_names_it() {
    let container = |request: &mut RunRequest| request.target = recipe("[container]\nimage = 'x:1'\nport = 80");
    #[cfg(not(feature = "container"))]
    check_refused(container, ExitCode::NotBuiltIn, "recipe `x` boots a container");
    #[cfg(not(feature = "tokenizer"))]
    {
        let tokenizer = |request: &mut RunRequest| {
            (request.target, request.tokenizer) = (recipe(PROCESS), Some("tokenizer.json".into()));
        };
        check_refused(tokenizer, ExitCode::NotBuiltIn, "tokenizer.json is a tokenizer");
    }
    let _ = container;
}

#[test]
fn invalid_request_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("request.json");
    let why = || read_request(&path).unwrap_err();
    assert_eq!(why().exit_code(), ExitCode::Usage);
    std::fs::write(&path, "{}").unwrap();
    assert!(why().to_string().contains("request.json is no run request: missing field"), "{}", why());
    let expected = request(folder.path());
    std::fs::write(&path, serde_json::to_vec(&expected).unwrap()).unwrap();
    assert_eq!(read_request(&path).unwrap(), expected);
}
