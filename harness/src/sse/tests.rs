//! The parser against a table of the standard's cases, against a splitter that sees the whole text, and under every split.

use proptest::prelude::*;

use super::*;

/// The events of a stream fed in the given parts; the last one may be what the end of the stream left open.
fn events<'a>(parts: impl IntoIterator<Item = &'a [u8]>, max_bytes: usize) -> Result<Vec<Vec<u8>>, EventTooLong> {
    let mut parser = SseParser::new(max_bytes);
    let mut events = Vec::new();
    for part in parts {
        parser.feed(part, |event| events.push(event.to_vec()))?;
    }
    events.extend(parser.finish()?);
    Ok(events)
}

/// The same by a plain rule over the whole text: one kind of line end, lines, empty lines between events.
fn reference(stream: &[u8]) -> Vec<Vec<u8>> {
    let stream = stream.strip_prefix(BYTE_ORDER_MARK).unwrap_or(stream);
    let text: String = stream.iter().map(|&byte| char::from(byte)).collect();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for line in text.split('\n') {
        if line.is_empty() {
            if !open.is_empty() {
                events.push(std::mem::take(&mut open).join("\n"));
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field == "data" {
            open.push(value.strip_prefix(' ').unwrap_or(value));
        }
    }
    if !open.is_empty() {
        events.push(open.join("\n"));
    }
    events.iter().map(|event| event.chars().map(|character| u8::try_from(character).unwrap()).collect()).collect()
}

#[test]
fn sse_grammar_rules_are_followed() {
    let check = |stream: &str, expected: &[&str]| {
        let whole = events([stream.as_bytes()], 64).unwrap();
        let whole: Vec<_> = whole.iter().map(|event| std::str::from_utf8(event).unwrap()).collect();
        assert_eq!(whole, expected, "{stream:?}");
    };
    check("", &[]);
    check("data: a\n\ndata: b\n\n", &["a", "b"]);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    check("data: a\r\rdata: b\r\r", &["a", "b"]);
    check("data: a\r\n\ndata: b\n\r\n", &["a", "b"]);
    check("data:a\n\n", &["a"]);
    check("data:  a\n\n", &[" a"]);
    check("data: a\ndata: b\ndata\ndata: c\n\n", &["a\nb\n\nc"]);
    check("data\n\ndata\ndata\n\n", &["", "\n"]);
    check(": a comment\n\n:\n\ndata: a\n: inside\n\n", &["a"]);
    check("event: message\nid: 1\nretry: 10\ndata: a\n\n", &["a"]);
    check("database: x\ndat: y\n data: z\n\n", &[]);
    check("\u{feff}data: a\n\n\u{feff}data: b\n\n", &["a"]);
    check("\n\n\n\ndata: a\n\n\n\n", &["a"]);
    check("data: a\n\ndata: b", &["a", "b"]);
    check("data: a\n\ndata: b\n", &["a", "b"]);
    check("data: a\n\ndata: b\r", &["a", "b"]);
    check("data: a\n\nevent: x", &["a"]);
    check("data: \u{e9}\u{1f600}\n\n", &["\u{e9}\u{1f600}"]);
}

#[test]
fn event_is_emitted_by_the_read_that_ends_it() {
    let check = |parts: &[&str], expected: &[usize]| {
        let mut parser = SseParser::new(64);
        let mut seen_by = Vec::new();
        for (read, part) in parts.iter().enumerate() {
            parser.feed(part.as_bytes(), |_| seen_by.push(read)).unwrap();
        }
        assert_eq!(seen_by, expected, "{parts:?}");
    };
    check(&["data: a\n", "\n", "data: b\n\ndata: c\n\n"], &[1, 2, 2]);
    check(&["data: a\r", "\n\r", "\n"], &[1]);
    check(&["data: a\r\r", "data: b\r\r"], &[0, 1]);
    check(&["da", "ta: ", "a", "\n", "\r\n"], &[4]);
    check(&["data: a\n\ndata: b", "\n\n"], &[0, 1]);
}

#[test]
fn overlong_line_or_event_is_an_error_for_any_split() {
    let check = |stream: &[u8], fits: bool| {
        for size in 1..=stream.len() {
            assert_eq!(events(stream.chunks(size), 16).is_ok(), fits, "{:?} by {size}", String::from_utf8_lossy(stream));
        }
    };
    check(b"data: 0123456789\n\n", true);
    check(b"data: 0123456789\r\n\r\n", true);
    check(b"data: 0123456789X\n\n", false);
    check(b"data: 0123456789X", false);
    check(b": 0123456789 0123456789\n\n", false);
    check(b"data: 01234567\ndata: 8901234\n\n", true);
    check(b"data: 01234567\ndata: 89012345\n\n", false);
    check(b"data: 01234567\ndata: 89012345", false);
    check(b"data: a\n\ndata: 0123456789\n\ndata: 0123456789\n\n", true);
}

#[test]
fn event_within_one_read_is_not_copied() {
    let stream = b"data: first\n\ndata: second\r\n\r\n";
    let within = stream.as_ptr_range();
    let mut events = 0;
    SseParser::new(64)
        .feed(stream, |event| {
            assert!(within.contains(&event.as_ptr()), "copied");
            events += 1;
        })
        .unwrap();
    assert_eq!(events, 2);
}

/// Streams made mostly of what the grammar looks at.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(&b"\n"[..]),
        Just(&b"\r"[..]),
        Just(&b"\r\n"[..]),
        Just(&b"\n\n"[..]),
        Just(&b"data"[..]),
        Just(&b"data:"[..]),
        Just(&b"data: "[..]),
        Just(&b":"[..]),
        Just(&b"event: x"[..]),
        Just(BYTE_ORDER_MARK),
        Just("{\"a\":\"\u{1f600}\"}".as_bytes()),
        Just(&b"\xff\xfe"[..]),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// `stream` cut at the places that `cuts` name, read round its length.
fn cut(stream: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| stream[pair[0]..pair[1]].to_vec()).collect()
}

proptest! {
    #[test]
    fn parser_matches_reference_for_any_split(
        stream in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let expected = reference(&stream);
        prop_assert_eq!(events([stream.as_slice()], 4096).unwrap(), expected.clone());
        let parts = cut(&stream, &cuts);
        prop_assert_eq!(events(parts.iter().map(Vec::as_slice), 4096).unwrap(), expected.clone());
        prop_assert_eq!(events(stream.chunks(1), 4096).unwrap(), expected);
    }

    #[test]
    fn event_limit_is_independent_of_split(stream in stream(), max_bytes in 1usize..40, size in 1usize..7) {
        prop_assert_eq!(events([stream.as_slice()], max_bytes).is_ok(), events(stream.chunks(size), max_bytes).is_ok());
    }
}
