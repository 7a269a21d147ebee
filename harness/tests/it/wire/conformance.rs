//! What each of the six engines sends, as it was recorded or else as its source and documentation say: what the client makes of it,
//! event by event, under every split of its bytes, and over HTTP.

use std::{fs, path::Path};

use harness::{dialect::dialect, http::HttpOptions, sse::DEFAULT_MAX_EVENT_BYTES, stream::AnswerStream};
use record::{DialectName, Observation, Outcome, TokenSource, engine::ChatApi};

use super::server::{AfterAnswer, LAST_CHUNK, STREAM_HEAD, Server, answer, chunk, run, send};

const SIX: [DialectName; 6] =
    [DialectName::Vllm, DialectName::Sglang, DialectName::Llamacpp, DialectName::Ollama, DialectName::Trtllm, DialectName::Nim];

struct Stream {
    dialect: DialectName,
    /// File without its ending.
    name: String,
    bytes: Vec<u8>,
    /// Where each of its events ends, in bytes.
    ends: Vec<usize>,
}

/// The files of an engine, recorded and documented, as (name, content), sorted by name.
fn files(engine: DialectName) -> Vec<(String, Vec<u8>)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let folders = ["recorded", "documented"].map(|kind| fixtures.join(kind).join(engine.as_str()));
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect();
    files.sort();
    files
}

fn streams() -> Vec<Stream> {
    let of = |engine| files(engine).into_iter().filter_map(move |(file, bytes)| stream(engine, &file, bytes));
    SIX.into_iter().flat_map(of).collect()
}

fn stream(dialect: DialectName, file: &str, bytes: Vec<u8>) -> Option<Stream> {
    let (name, mark): (_, &[u8]) = match file.rsplit_once('.')? {
        (name, "sse") => (name, b"\n\n"),
        (name, "ndjson") => (name, b"\n"),
        _ => return None,
    };
    let ends = (0..bytes.len()).map(|last| last + 1).filter(|&end| bytes[..end].ends_with(mark)).collect();
    Some(Stream { dialect, name: name.to_owned(), bytes, ends })
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

/// The stream with each of its events in a read of its own, so that a stamp is an event's number.
fn event_by_event(stream: &Stream) -> Observation {
    let starts = [0].into_iter().chain(stream.ends.iter().copied());
    observe(stream.dialect, starts.zip(&stream.ends).map(|(start, &end)| &stream.bytes[start..end]))
}

/// The observation with each stamp put through `stamp`.
fn restamped(observation: &Observation, stamp: impl Fn(u64) -> u64) -> Observation {
    let mut restamped = observation.clone();
    for t_ns in [
        &mut restamped.first_event_ns,
        &mut restamped.first_token_ns,
        &mut restamped.first_content_ns,
        &mut restamped.last_token_ns,
    ] {
        *t_ns = t_ns.map(&stamp);
    }
    restamped.chunks.0.iter_mut().for_each(|chunk| chunk.t_ns = stamp(chunk.t_ns));
    restamped
}

fn row(stream: &Stream) -> String {
    let seen = event_by_event(stream);
    let at = |t_ns: Option<u64>| t_ns.map_or("-".to_owned(), |t_ns| t_ns.to_string());
    let tokens: Vec<String> = seen.chunks.iter().map(|chunk| format!("{}:{}", chunk.t_ns, chunk.tokens)).collect();
    let source = if seen.token_source == TokenSource::None { "uncounted".to_owned() } else { format!("{:?}", seen.token_source) };
    let usage = seen.usage.map_or("-".to_owned(), |usage| {
        let cached = usage.cached_tokens.map_or(String::new(), |cached| format!(" ({cached} cached)"));
        format!("{}{cached} + {}", usage.prompt_tokens, usage.completion_tokens)
    });
    let times = seen.server_timings.map_or(String::new(), |timings| {
        format!("; ns: load {}, prefill {}, decode {}", at(timings.load_ns), at(timings.prefill_ns), at(timings.decode_ns))
    });
    format!(
        "{} {}: event {} token {} content {} of {}; {source} {}; usage {usage}; {} {}{times}",
        stream.dialect,
        stream.name,
        at(seen.first_event_ns),
        at(seen.first_token_ns),
        at(seen.first_content_ns),
        stream.ends.len(),
        tokens.join(" "),
        seen.outcome.word(),
        seen.finish_reason.as_deref().unwrap_or("-"),
    )
}

#[test]
fn engine_streams_give_expected_observations() {
    let rows: Vec<String> = streams().iter().map(row).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    vllm chat-cached: event 0 token 1 content 1 of 9; Final 1:1 2:2 3:3 4:4 5:5 6:6; usage 452 (384 cached) + 6; complete length
    vllm chat-many-tokens: event 0 token 1 content 1 of 19; Running 1:1 2:2 3:4 4:7 5:8 6:9 7:10 8:11 9:12 10:14 11:15 12:16 13:17 14:18 15:19 16:20; usage 40 (0 cached) + 20; complete length
    vllm chat-no-usage: event 0 token 1 content 1 of 10; uncounted 1:0 2:0 4:0 5:0 6:0 7:0 8:0; usage -; complete length
    vllm chat: event 0 token 1 content 1 of 15; Running 1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9 10:10 11:11 12:12; usage 40 (0 cached) + 12; complete length
    vllm completions-many-tokens: event 0 token 0 content 0 of 9; Running 0:1 1:3 2:5 3:8 4:12 5:17 6:20; usage 6 (0 cached) + 20; complete length
    vllm completions: event 0 token 0 content 0 of 10; Final 0:1 1:2 2:3 3:4 4:5 5:6 6:7 7:8; usage 6 (0 cached) + 8; complete length
    sglang chat-reasoning: event 0 token 1 content 3 of 7; Running 1:3 2:4 3:6; usage 40 + 6; complete stop
    sglang chat-usage-at-end: event 0 token 1 content 1 of 6; Final 1:2 2:4; usage 40 (32 cached) + 4; complete length
    sglang chat: event 0 token 1 content 1 of 7; Running 1:1 2:3 3:4; usage 40 + 4; complete length
    sglang error-in-stream: event 0 token 1 content 1 of 4; Running 1:1; usage 40 + 1; rejected -
    llamacpp chat-cached: event 0 token 1 content 1 of 11; Final 1:1 2:2 3:3 4:4 5:5 6:6 7:8; usage 40 (39 cached) + 8; complete length; ns: load -, prefill 656000, decode 4688000
    llamacpp chat-error-in-stream: event 0 token 1 content 1 of 14; uncounted 1:0 2:0 3:0 4:0 5:0 6:0 7:0 8:0 9:0 10:0 11:0 12:0; usage -; rejected -
    llamacpp chat-no-usage: event 0 token 1 content 1 of 10; uncounted 1:0 2:0 3:0 4:0 5:0 6:0 7:0; usage -; complete length; ns: load -, prefill 671000, decode 4263000
    llamacpp chat-timings: event 0 token 1 content 1 of 11; Running 1:1 2:2 3:4 4:5 5:6 6:7 7:8; usage 40 (39 cached) + 8; complete length; ns: load -, prefill 585000, decode 3828000
    llamacpp chat: event 0 token 1 content 1 of 19; Final 1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9 10:10 11:11 12:12 13:13 14:14 15:16; usage 40 (1 cached) + 16; complete length; ns: load -, prefill 13573000, decode 12358000
    llamacpp completions: event 0 token 0 content 0 of 10; Final 0:1 1:2 2:3 3:4 4:5 5:6 6:7 7:8; usage 6 (0 cached) + 8; complete length; ns: load -, prefill 1540000, decode 3936000
    ollama chat-cached: event 0 token 0 content 0 of 2; Final 0:1; usage 0 + 1; complete length; ns: load 91000208, prefill 310000125, decode 880000084
    ollama chat-crlf: event 0 token 0 content 0 of 2; Final 0:1; usage 40 + 1; complete length; ns: load 91000208, prefill 310000125, decode 880000084
    ollama chat-thinking: event 0 token 0 content 2 of 4; Final 0:2 1:4 2:6; usage 40 + 6; complete stop; ns: load 91000208, prefill 310000125, decode 880000084
    ollama chat: event 0 token 0 content 0 of 4; Final 0:1 1:2 2:4; usage 40 + 4; complete length; ns: load 91000208, prefill 310000125, decode 880000084
    ollama error-in-stream: event 0 token 0 content 0 of 2; uncounted 0:0; usage -; rejected -
    trtllm chat-broken-off: event 0 token 1 content 1 of 2; Running 1:1; usage 40 (0 cached) + 1; truncated -
    trtllm chat-harmony: event 0 token 1 content 2 of 6; Running 1:3 2:7 3:8; usage 70 (0 cached) + 8; complete stop
    trtllm chat-reasoning: event 0 token 1 content 2 of 6; Running 1:3 2:5 3:6; usage 40 (32 cached) + 6; complete stop
    trtllm chat: event 0 token 1 content 1 of 7; Running 1:1 2:2 3:4 4:5; usage 40 (0 cached) + 5; complete length
    nim chat-reasoning: event 0 token 1 content 2 of 6; Final 1:3 2:6; usage 40 + 6; complete stop
    nim chat-usage-on-finish: event 0 token 0 content 0 of 4; Final 0:1 1:3; usage 40 + 3; complete stop
    nim chat: event 0 token 1 content 1 of 6; Final 1:1 2:2 3:4; usage 40 + 4; complete length
    nim error-in-stream: event 0 token 1 content 1 of 4; uncounted 1:0; usage -; rejected -
    ");
}

#[test]
fn every_engine_has_documented_streams_and_refusals() {
    for engine in SIX {
        let files = files(engine);
        assert!(
            files.iter().filter(|(file, _)| file.starts_with("chat") && stream(engine, file, Vec::new()).is_some()).count() >= 3
        );
        assert!(
            files.iter().any(|(file, _)| file.starts_with("error-") && Path::new(file).extension().unwrap() == "json"),
            "{engine}"
        );
    }
}

#[test]
fn documented_streams_are_independent_of_split_and_stamped_by_ending_read() {
    for stream in streams() {
        let by_event = event_by_event(&stream);
        let check = |starts: &[usize], seen: &Observation| {
            let part_of = |event: u64| {
                let last_byte = stream.ends[usize::try_from(event).unwrap()] - 1;
                starts.iter().rposition(|&start| start <= last_byte).unwrap() as u64
            };
            assert_eq!(*seen, restamped(&by_event, part_of), "{} {} cut at {starts:?}", stream.dialect, stream.name);
        };
        for place in 0..=stream.bytes.len() {
            let (first, second) = stream.bytes.split_at(place);
            check(&[0, place], &observe(stream.dialect, [first, second]));
        }
        let starts: Vec<usize> = (0..stream.bytes.len()).collect();
        check(&starts, &observe(stream.dialect, stream.bytes.chunks(1)));
    }
}

#[test]
fn chat_stream_is_the_same_over_http() {
    for stream in streams().iter().filter(|stream| stream.name.starts_with("chat") || stream.name.starts_with("error")) {
        let (sent, kept) = (String::from_utf8(stream.bytes.clone()).unwrap(), event_by_event(stream));
        let broken_off = stream.name.ends_with("broken-off");
        let (end, then) = if broken_off { ("", AfterAnswer::Close) } else { (LAST_CHUNK, AfterAnswer::KeepOpen) };
        let server = Server::canned(format!("{STREAM_HEAD}{}{end}", chunk(&sent)), then);
        let seen = run(send(&server.endpoint(stream.dialect, HttpOptions::default())));
        let name = format!("{} {}", stream.dialect, stream.name);
        if broken_off {
            assert!(matches!(seen.outcome, Outcome::Disconnected { .. }), "{name}: {:?}", seen.outcome);
        } else {
            assert_eq!(seen.outcome, kept.outcome, "{name}");
        }
        assert_eq!((&seen.text, seen.usage, &seen.finish_reason), (&kept.text, kept.usage, &kept.finish_reason), "{name}");
        assert_eq!((seen.token_source, seen.server_timings), (kept.token_source, kept.server_timings), "{name}");
        assert_eq!(seen.chunks.len(), kept.chunks.len(), "{name}");
        let head = server.seen.lock().unwrap().requests[0].head.clone();
        let (path, accept) = match dialect(stream.dialect).chat {
            ChatApi::Openai => ("/v1/chat/completions", "text/event-stream"),
            ChatApi::Ollama => ("/api/chat", "application/x-ndjson"),
        };
        assert!(head.starts_with(&format!("post {path} ")) && head.contains(&format!("accept: {accept}\r\n")), "{name}: {head}");
    }
}

#[test]
fn refusal_detail_is_the_engines_message() {
    let mut lines = Vec::new();
    for engine in [DialectName::Sglang, DialectName::Trtllm, DialectName::Nim, DialectName::Ollama] {
        for (file, bytes) in files(engine) {
            let Some(name) = file.strip_prefix("error-").and_then(|file| file.strip_suffix(".json")) else { continue };
            let status = name.split('-').next().unwrap();
            let refusal = answer(&format!("{status} Refused"), std::str::from_utf8(&bytes).unwrap());
            let seen = run(send(&Server::canned(refusal, AfterAnswer::Close).endpoint(engine, HttpOptions::default())));
            lines.push(format!("{engine} {name}: {:?}", seen.outcome));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    sglang 400-too-long: Rejected { status: 400, detail: "The input (40000 tokens) is longer than the model's context length (32768 tokens)." }
    trtllm 400-max-tokens: Rejected { status: 400, detail: "The sum of prompt length (40) and max_tokens (99999) should not exceed max_seq_len (8192)." }
    nim 404-model: Rejected { status: 404, detail: "The model `no-such-model` does not exist." }
    ollama 404-model: Rejected { status: 404, detail: "model 'no-such-model' not found" }
    ollama 503-queue-full: Rejected { status: 503, detail: "server busy, please try again. maximum pending requests exceeded" }
    "#);
}
