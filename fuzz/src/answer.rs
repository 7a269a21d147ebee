//! A streamed answer: the dialect and the API, a seed for the reads, then the stream.

use harness::{dialect::dialect, sse::DEFAULT_MAX_EVENT_BYTES, stream::AnswerStream};
use record::{Chunks, Dialect, DialectName, Observation, Outcome, PlannedRequest, Release, TokenSource, engine::ChatApi};

/// Any split of the bytes ends in the same observation and outcome apart from stamps, counts and stamps never fall, and a record can
/// hold what was seen.
pub fn check(data: &[u8]) {
    let [choice, seed, stream @ ..] = data else { return };
    let dialect = dialect(DialectName::ALL[usize::from(choice >> 2) % DialectName::ALL.len()]);
    let api = if choice & 1 == 0 { dialect.chat } else { ChatApi::Openai };
    // A limit that short streams reach too.
    let max_bytes = if choice & 2 == 0 { DEFAULT_MAX_EVENT_BYTES } else { 256 };
    let observe = |parts: &[&[u8]]| observe(AnswerStream::of(api, dialect, max_bytes), parts);
    let (whole, over) = observe(&[stream]);
    check_alone(&whole, dialect);
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    for parts in [single, super::reads(*seed, stream)] {
        let (again, again_over) = observe(&parts);
        check_alone(&again, dialect);
        assert_eq!((without_stamps(&again), again_over), (without_stamps(&whole), over), "cut in {}", parts.len());
    }
}

/// The observation of a stream read as a client does: each part's stamp is its number, and nothing is read once the answer is over. And
/// whether it was over, and done, before the stream's end.
fn observe(mut stream: AnswerStream, parts: &[&[u8]]) -> (Observation, (bool, bool)) {
    let mut observation = Observation::unsent(&PlannedRequest {
        id: 0,
        release: Release::At { t_ns: 0 },
        messages: Vec::new(),
        prompt_tokens: 1,
        output_tokens: 1,
        structured: false,
        sampling_seed: 0,
    });
    observation.text = Some(String::new());
    for (t_ns, part) in (0..).zip(parts) {
        if stream.is_over() {
            break;
        }
        stream.read(t_ns, part, &mut observation);
    }
    let over = (stream.is_over(), stream.is_done());
    observation.outcome = stream.finish(&mut observation);
    (observation, over)
}

fn without_stamps(observation: &Observation) -> Observation {
    let mut chunks = observation.chunks.clone();
    chunks.0.iter_mut().for_each(|chunk| chunk.t_ns = 0);
    let some = |stamp: Option<u64>| stamp.map(|_| 0);
    Observation {
        first_event_ns: some(observation.first_event_ns),
        first_token_ns: some(observation.first_token_ns),
        first_content_ns: some(observation.first_content_ns),
        last_token_ns: some(observation.last_token_ns),
        chunks,
        ..observation.clone()
    }
}

/// What holds for every observation by itself.
fn check_alone(seen: &Observation, dialect: &Dialect) {
    let falls = |chunks: &Chunks| chunks.windows(2).any(|pair| pair[0].tokens > pair[1].tokens || pair[0].t_ns > pair[1].t_ns);
    assert!(!falls(&seen.chunks), "a count or a stamp falls: {:?}", seen.chunks);
    assert!(seen.first_event_ns <= seen.first_token_ns || seen.first_token_ns.is_none(), "a token before any event");
    assert!(seen.first_token_ns <= seen.first_content_ns || seen.first_content_ns.is_none(), "content before any token");
    assert_eq!(seen.last_token_ns, seen.chunks.last().map(|chunk| chunk.t_ns), "the last token is not the last chunk's");
    assert_eq!(seen.token_source == TokenSource::Final, seen.usage.is_some() && seen.token_source != TokenSource::Running);
    if let (TokenSource::Final, Some(usage), Some(last)) = (seen.token_source, seen.usage, seen.chunks.last()) {
        assert_eq!(last.tokens, usage.completion_tokens, "not all tokens were shared out");
    }
    match &seen.outcome {
        Outcome::Complete => assert!(seen.finish_reason.is_some(), "complete without a finish reason"),
        Outcome::Truncated { .. } | Outcome::Malformed { .. } => (),
        Outcome::Rejected { status, .. } => assert!((100..600).contains(status), "status {status}"),
        other => panic!("{}: a stream alone cannot be {other:?}", dialect.name),
    }
    let line = serde_json::to_string(seen).expect("plain data serialises");
    let again: Observation = serde_json::from_str(&line).expect("what was written is read");
    assert_eq!(Observation { text: seen.text.clone(), ..again }, *seen, "a record does not hold it");
}
