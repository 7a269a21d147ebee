//! Files that others write: the first byte says which.

use std::collections::BTreeMap;

use reports::noise::Calibration;
use twin::{arena, server::Params};
use workloads::sharegpt::{RecordedLengths, file::read};

/// No reader panics, and what it makes of a file can be worked with.
pub fn check(data: &[u8]) {
    let [kind, file @ ..] = data else { return };
    if kind % 4 == 0 {
        conversations(file);
        return;
    }
    let Ok(text) = std::str::from_utf8(file) else { return };
    match kind % 4 {
        1 => arena(text),
        2 => params(text),
        _ => calibration(text),
    }
}

/// `ShareGPT`: whatever is kept has lengths that the rule keeps.
fn conversations(file: &[u8]) {
    if let Ok(RecordedLengths::File { conversations, .. }) = read(file, None) {
        assert!(!conversations.is_empty() && conversations.iter().all(|pair| pair.is_kept()), "{conversations:?}");
    }
}

/// A folder of the arena: each file behind a line with its name between signs of equality.
fn arena(text: &str) {
    let mut files = BTreeMap::new();
    for part in text.split("\n== ") {
        if let Some((name, text)) = part.split_once(" ==\n") {
            files.insert(name.to_owned(), text.to_owned());
        }
    }
    let Ok(run) = arena::Run::read(&files) else { return };
    run.engine.check().expect("an engine that cannot be simulated");
    for trial in &run.closed {
        assert!(trial.streams > 0 && trial.requests.iter().all(|&(prompt, output)| prompt > 0 && output > 0), "{}", trial.name);
        for seen in &trial.observed {
            assert!(seen.value.is_finite() && seen.value > 0.0, "{}: {seen:?}", trial.name);
        }
    }
    for test in &run.open {
        let requests = &test.load.requests;
        assert!(
            !requests.is_empty() && requests.iter().all(|one| one.prompt_tokens > 0 && one.output_tokens > 0),
            "{}",
            test.name
        );
    }
}

/// A description of an engine: what is accepted is the same once it was written.
fn params(text: &str) {
    if let Ok(params) = Params::from_toml(text) {
        let written = params.to_toml().expect("it can be written");
        assert_eq!(Params::from_toml(&written).as_ref(), Ok(&params), "{written}");
    }
}

/// A calibration that is accepted is the same once it was written.
fn calibration(text: &str) {
    if let Ok(calibration) = serde_json::from_str::<Calibration>(text) {
        let written = serde_json::to_string(&calibration).expect("it can be written");
        let again: Calibration = serde_json::from_str(&written).expect("what was written is read");
        assert_eq!(again, calibration, "{written}");
    }
}
