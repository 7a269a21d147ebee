//! Streams recorded from real engines: whatever way their bytes are split, the observation is the one that a plain reading of the
//! whole file gives, and each chunk bears the stamp of the read that completed its event.

use std::{fs, path::Path};

use harness::{dialect::dialect, http::HttpOptions, sse::DEFAULT_MAX_EVENT_BYTES, stream::AnswerStream};
use proptest::{prelude::*, sample::Index};
use record::{Chunks, DialectName, Observation, Outcome, TokenSource, engine::RunningCount};
use serde_json::Value;

use super::server::{AfterAnswer, Server, answer, run, send};

struct Recording {
    name: String,
    dialect: DialectName,
    bytes: Vec<u8>,
}

/// Every recording; its folder names the dialect.
fn recordings() -> Vec<Recording> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded");
    let mut recordings = Vec::new();
    for folder in fs::read_dir(&root).unwrap().map(|folder| folder.unwrap().path()).filter(|folder| folder.is_dir()) {
        let engine = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for file in fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "sse") {
                let name = format!("{engine}/{}", file.file_name().unwrap().to_str().unwrap());
                recordings.push(Recording { name, dialect: engine.parse().unwrap(), bytes: fs::read(file).unwrap() });
            }
        }
    }
    recordings.sort_by(|a, b| a.name.cmp(&b.name));
    recordings
}

/// What a plain reading of a whole recording gives.
#[derive(Debug, Default)]
struct ReferenceReading {
    text: String,
    finish_reason: Option<String>,
    /// Prompt, completion and cached tokens.
    usage: Option<(u64, u64, Option<u64>)>,
    /// Where each event ends, in bytes.
    ends: Vec<usize>,
    /// The events that are chunks, with the running count where there is one.
    chunks: Vec<(usize, Option<u64>)>,
    first_token: Option<usize>,
    first_content: Option<usize>,
    /// How the server gave the answer up, if it did.
    failure: Option<ServerFailure>,
}

#[derive(Debug)]
enum ServerFailure {
    /// By an error object with these words.
    Refused(String),
    /// By words that are no JSON.
    Words(String),
}

impl ReferenceReading {
    fn ends_with(&self, outcome: &Outcome) -> bool {
        match (&self.failure, outcome) {
            (None, Outcome::Complete) => true,
            (Some(ServerFailure::Refused(words)), Outcome::Rejected { status: 500, detail }) => detail == words,
            (Some(ServerFailure::Words(words)), Outcome::Malformed { detail }) => detail.ends_with(words),
            _ => false,
        }
    }
}

fn read_plainly(recording: &Recording) -> ReferenceReading {
    let all = std::str::from_utf8(&recording.bytes).unwrap();
    let mut plain = ReferenceReading::default();
    let (mut running, mut uncounted, mut end) = (0, false, 0);
    for block in all.split_inclusive("\n\n") {
        end += block.len();
        let data = block.lines().find_map(|line| line.strip_prefix("data: "));
        let Some(data) = data else { continue };
        plain.ends.push(end);
        if data == "[DONE]" {
            break;
        }
        let Ok(event) = serde_json::from_str::<Value>(data) else {
            plain.failure = Some(ServerFailure::Words(data.to_owned()));
            break;
        };
        let number = plain.ends.len() - 1;
        if let Some(words) = event["error"]["message"].as_str() {
            plain.failure = Some(ServerFailure::Refused(words.to_owned()));
            break;
        }
        if let (Some(prompt), Some(completion)) =
            (event["usage"]["prompt_tokens"].as_u64(), event["usage"]["completion_tokens"].as_u64())
        {
            let cached = event["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64();
            plain.usage = Some((prompt, completion, cached));
        }
        let choice = &event["choices"][0];
        let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let reasoning = text(&choice["delta"]["reasoning"]) + &text(&choice["delta"]["reasoning_content"]);
        let content = text(&choice["delta"]["content"]) + &text(&choice["text"]);
        let count = match dialect(recording.dialect).running_count {
            _ if uncounted => None,
            RunningCount::None => None,
            RunningCount::ContinuousUsage => event["usage"]["completion_tokens"].as_u64(),
            RunningCount::Timings => event["timings"]["predicted_n"].as_u64(),
        };
        let brings_text = !reasoning.is_empty() || !content.is_empty();
        uncounted |= brings_text && count.is_none();
        if brings_text || (choice.is_object() && count > Some(running)) {
            running = count.unwrap_or(running);
            plain.chunks.push((number, count));
        }
        if brings_text {
            plain.first_token.get_or_insert(number);
        }
        if !content.is_empty() {
            plain.first_content.get_or_insert(number);
        }
        plain.text += &reasoning;
        plain.text += &content;
        plain.finish_reason = choice["finish_reason"].as_str().map(str::to_owned).or(plain.finish_reason);
    }
    plain
}

/// Feeds the parts one by one; each part's stamp is its number.
fn observe<'a>(name: DialectName, parts: impl IntoIterator<Item = &'a [u8]>) -> Observation {
    let mut observation = super::unsent();
    let mut stream = AnswerStream::new(dialect(name), DEFAULT_MAX_EVENT_BYTES);
    for (t_ns, part) in (0..).zip(parts) {
        stream.read(t_ns, part, &mut observation);
    }
    observation.outcome = stream.finish(&mut observation);
    observation
}

fn without_stamps(observation: &Observation) -> Observation {
    let mut chunks = observation.chunks.clone();
    chunks.0.iter_mut().for_each(|chunk| chunk.t_ns = 0);
    Observation {
        first_event_ns: None,
        first_token_ns: None,
        first_content_ns: None,
        last_token_ns: None,
        chunks,
        ..observation.clone()
    }
}

/// Fails unless each stamp is that of the part in which its event ends. `starts` are the parts' beginnings.
fn check_stamps(recording: &Recording, plain: &ReferenceReading, starts: &[usize], seen: &Observation) {
    let part_of = |event: usize| {
        let last_byte = plain.ends[event] - 1;
        starts.iter().rposition(|&start| start <= last_byte).unwrap() as u64
    };
    let stamps: Vec<u64> = seen.chunks.iter().map(|chunk| chunk.t_ns).collect();
    let expected: Vec<u64> = plain.chunks.iter().map(|&(event, _)| part_of(event)).collect();
    assert_eq!(stamps, expected, "{} cut at {starts:?}", recording.name);
    assert_eq!(seen.first_event_ns, Some(part_of(0)), "{}", recording.name);
    assert_eq!(seen.first_token_ns, plain.first_token.map(part_of), "{}", recording.name);
    assert_eq!(seen.first_content_ns, plain.first_content.map(part_of), "{}", recording.name);
    assert_eq!(seen.last_token_ns, expected.last().copied(), "{}", recording.name);
}

#[test]
fn every_recorded_engine_has_streams() {
    let recordings = recordings();
    for name in [DialectName::Llamacpp, DialectName::Vllm, DialectName::Mistralrs, DialectName::Transformers] {
        assert!(recordings.iter().any(|recording| recording.dialect == name), "no recording of {name}");
    }
}

#[test]
fn whole_read_matches_plain_reading() {
    for recording in recordings() {
        let (plain, name) = (read_plainly(&recording), &recording.name);
        let seen = observe(recording.dialect, [recording.bytes.as_slice()]);
        assert!(plain.ends_with(&seen.outcome), "{name}: {:?}", seen.outcome);
        assert_eq!(seen.text.as_deref(), Some(plain.text.as_str()), "{name}");
        assert_eq!(seen.finish_reason, plain.finish_reason, "{name}");
        let usage = seen
            .usage
            .map(|usage| (usage.prompt_tokens.into(), usage.completion_tokens.into(), usage.cached_tokens.map(u64::from)));
        assert_eq!(usage, plain.usage, "{name}");
        let counted = plain.chunks.iter().all(|(_, count)| count.is_some());
        let expected = match (counted, plain.usage) {
            (true, _) => plain.chunks.iter().map(|&(_, count)| count.unwrap()).collect(),
            (false, Some((_, total, _))) => {
                let chunks = plain.chunks.len() as u64;
                (1..=chunks).map(|chunk| total * chunk / chunks).collect()
            }
            (false, None) => vec![0; plain.chunks.len()],
        };
        let tokens: Vec<u64> = seen.chunks.iter().map(|chunk| chunk.tokens.into()).collect();
        assert_eq!(tokens, expected, "{name}");
    }
}

#[test]
fn recordings_give_expected_observations() {
    let lines = recordings().into_iter().map(|recording| {
        let seen = observe(recording.dialect, [recording.bytes.as_slice()]);
        let text: String = seen.text.as_deref().unwrap_or_default().chars().take(24).collect();
        let end = seen.finish_reason.unwrap_or_else(|| seen.outcome.word().to_owned());
        let counts = match (seen.token_source, seen.usage) {
            (TokenSource::None, _) | (_, None) => "no counts".to_owned(),
            (source, Some(usage)) => {
                format!("{source:?} {}/{} cached {:?}", usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens)
            }
        };
        format!("{}: {} chunks, {counts}, {end}, {text:?}", recording.name, seen.chunks.len())
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    llamacpp/chat-cached.sse: 7 chunks, Final 40/8 cached Some(39), length, " everyone3� payed high e"
    llamacpp/chat-error-in-stream.sse: 12 chunks, no counts, rejected, "{ \"ok\" :false}"
    llamacpp/chat-no-usage.sse: 7 chunks, no counts, length, " everyone3� payed high e"
    llamacpp/chat-timings.sse: 7 chunks, Running 40/8 cached Some(39), length, " everyone3� payed high e"
    llamacpp/chat.sse: 15 chunks, Final 40/16 cached Some(1), length, " everyone3� payed high e"
    llamacpp/completions.sse: 8 chunks, Final 6/8 cached Some(0), length, " thinker automite unsect"
    mistralrs/chat-no-usage.sse: 7 chunks, Final 40/8 cached None, length, "everyone3� payed high er"
    mistralrs/chat.sse: 11 chunks, Final 40/12 cached None, length, "everyone3� payed high er"
    mistralrs/completions.sse: 8 chunks, no counts, length, "thinker automite unsect "
    mistralrs/error-in-stream-too-long.sse: 0 chunks, no counts, malformed, ""
    transformers/chat-no-usage.sse: 7 chunks, Final 40/8 cached None, length, " everyone3� payed high e"
    transformers/chat.sse: 11 chunks, Final 40/12 cached None, length, " everyone3� payed high e"
    transformers/completions.sse: 8 chunks, Final 6/8 cached None, length, " thinker automite unsect"
    vllm/chat-cached.sse: 6 chunks, Final 452/6 cached Some(384), length, " authors possiblerones e"
    vllm/chat-many-tokens.sse: 16 chunks, Running 40/20 cached Some(0), length, " everyone3� payed high e"
    vllm/chat-no-usage.sse: 7 chunks, no counts, length, " everyone3� payed high e"
    vllm/chat.sse: 12 chunks, Running 40/12 cached Some(0), length, " everyone3� payed high e"
    vllm/completions-many-tokens.sse: 7 chunks, Running 6/20 cached Some(0), length, " thinker automite unsect"
    vllm/completions.sse: 8 chunks, Final 6/8 cached Some(0), length, " thinker automite unsect"
    "#);
}

#[test]
fn recorded_refusal_detail_is_the_servers_message() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded");
    let folders = fs::read_dir(&root).unwrap().map(|folder| folder.unwrap().path()).filter(|folder| folder.is_dir());
    let mut lines: Vec<String> = folders
        .flat_map(|folder| fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()))
        .filter(|file| file.extension().is_none_or(|extension| extension != "sse"))
        .filter_map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap();
            let status = name.strip_prefix("error-")?.split('-').next().unwrap();
            let bytes = answer(&format!("{status} Refused"), &fs::read_to_string(&file).unwrap());
            let seen =
                run(send(&Server::canned(bytes, AfterAnswer::Close).endpoint(DialectName::Openai, HttpOptions::default())));
            let engine = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
            Some(format!("{engine}/{name}: {:?}", seen.outcome))
        })
        .collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    llamacpp/error-400-bad-json.json: Rejected { status: 400, detail: "[json.exception.parse_error.101] parse error at line 1, column 43: syntax error while parsing object - unexpected end of input; expected '}'" }
    llamacpp/error-400-too-long.json: Rejected { status: 400, detail: "request (9013 tokens) exceeds the available context size (4096 tokens), try increasing it" }
    mistralrs/error-400-bad-json.txt: Rejected { status: 400, detail: "Failed to parse the request body as JSON: messages[0].?: EOF while parsing an object at line 1 column 42" }
    mistralrs/error-500-model.json: Rejected { status: 500, detail: "Requested model 'no-such-model' is not available. Available models: model/hf. Use 'default' to use the default model." }
    transformers/error-400-model.json: Rejected { status: 400, detail: "Server is pinned to 'model/hf'; requested 'no-such-model'." }
    transformers/error-422-bad-json.json: Rejected { status: 422, detail: "[{\"ctx\":{\"error\":\"Expecting ',' delimiter\"},\"input\":{},\"loc\":[\"body\",42],\"msg\":\"JSON decode error\",\"type\":\"json_invalid\"}]" }
    transformers/error-422-ignore-eos.json: Rejected { status: 422, detail: "Unexpected fields in the request: {'ignore_eos'}" }
    vllm/error-400-bad-json.json: Rejected { status: 400, detail: "1 validation error: {'type': 'json_invalid', 'loc': 'body.42', 'msg': 'JSON decode error', 'input': '<dict of 0 items>', 'ctx': {'error': \"Expecting ',' delimiter\"}}" }
    vllm/error-400-max-tokens.json: Rejected { status: 400, detail: "max_tokens=99999 cannot be greater than max_model_len=8192. Please request fewer output tokens. (parameter=max_tokens, value=99999)" }
    vllm/error-400-too-long.json: Rejected { status: 400, detail: "This model's maximum context length is 8192 tokens. However, your prompt contains at least 8193 input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=8193)" }
    vllm/error-404-model.json: Rejected { status: 404, detail: "The model `no-such-model` does not exist. Valid aliases: tiny." }
    "#);
}

#[test]
fn every_split_in_two_gives_the_same_observation() {
    for recording in recordings() {
        let plain = read_plainly(&recording);
        let whole = without_stamps(&observe(recording.dialect, [recording.bytes.as_slice()]));
        for place in 0..=recording.bytes.len() {
            let (first, second) = recording.bytes.split_at(place);
            let seen = observe(recording.dialect, [first, second]);
            assert_eq!(without_stamps(&seen), whole, "{} at {place}", recording.name);
            check_stamps(&recording, &plain, &[0, place], &seen);
        }
    }
}

#[test]
fn byte_by_byte_reads_give_the_same_observation() {
    for recording in recordings() {
        let whole = without_stamps(&observe(recording.dialect, [recording.bytes.as_slice()]));
        let seen = observe(recording.dialect, recording.bytes.chunks(1));
        assert_eq!(without_stamps(&seen), whole, "{}", recording.name);
        let starts: Vec<usize> = (0..recording.bytes.len()).collect();
        check_stamps(&recording, &read_plainly(&recording), &starts, &seen);
    }
}

#[test]
fn stream_cut_before_its_end_is_not_complete() {
    for recording in recordings() {
        let plain = read_plainly(&recording);
        // From here on the last event that matters is there, though its empty line may not be.
        let last = *plain.ends.last().unwrap() - 2;
        for place in 0..last {
            let seen = observe(recording.dialect, [&recording.bytes[..place]]);
            let is_cut = matches!(seen.outcome, Outcome::Truncated { .. });
            assert!(is_cut, "{} cut at {place}: {:?}", recording.name, seen.outcome);
        }
        let outcome = observe(recording.dialect, [&recording.bytes[..last]]).outcome;
        assert_eq!(outcome.is_complete(), plain.failure.is_none(), "{}: {outcome:?}", recording.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_splits_give_the_same_observation(cuts in prop::collection::vec(any::<Index>(), 0..40)) {
        for recording in recordings() {
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(recording.bytes.len() + 1)).collect();
            places.extend([0, recording.bytes.len()]);
            places.sort_unstable();
            let parts = places.windows(2).map(|pair| &recording.bytes[pair[0]..pair[1]]);
            let seen = observe(recording.dialect, parts);
            let whole = observe(recording.dialect, [recording.bytes.as_slice()]);
            prop_assert_eq!(without_stamps(&seen), without_stamps(&whole));
            check_stamps(&recording, &read_plainly(&recording), &places[..places.len() - 1], &seen);
        }
    }
}

#[test]
fn comparison_ignores_stamps_only() {
    // Guards the tests above: a comparison that dropped the counts too could not fail.
    let mut one = super::unsent();
    one.chunks = Chunks(vec![record::Chunk { t_ns: 5, tokens: 1 }]);
    let mut other = one.clone();
    other.chunks.0[0].t_ns = 6;
    assert_eq!(without_stamps(&one), without_stamps(&other));
    other.chunks.0[0].tokens = 2;
    assert_ne!(without_stamps(&one), without_stamps(&other));
}
