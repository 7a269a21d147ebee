//! Server-sent events: a seed for the reads, the limit of an event in fours of bytes, then the stream.

use harness::sse::{EventTooLong, SseParser};

/// Any split gives the same events, which are those of a plain reading, and none is longer than the limit.
pub fn check(data: &[u8]) {
    let [seed, fours, stream @ ..] = data else { return };
    let max_bytes = 4 * usize::from(*fours);
    let whole = events([stream], max_bytes);
    assert_eq!(whole, events(stream.chunks(1), max_bytes), "single bytes");
    assert_eq!(whole, events(super::reads(*seed, stream), max_bytes), "reads");
    assert!(whole.0.iter().all(|event| event.len() <= max_bytes), "an event of more than {max_bytes} bytes");
    // Without a limit that could be reached there is nothing to be refused.
    let (unlimited, end) = events([stream], usize::MAX);
    assert_eq!((end, unlimited), (Ok(()), parse_plainly(stream)), "a plain reading");
}

/// The events up to the end of the stream, what that left open included, or up to the line that was too long.
fn events<'a>(parts: impl IntoIterator<Item = &'a [u8]>, max_bytes: usize) -> (Vec<Vec<u8>>, Result<(), EventTooLong>) {
    let mut parser = SseParser::new(max_bytes);
    let mut events = Vec::new();
    for part in parts {
        if let Err(too_long) = parser.feed(part, |event| events.push(event.to_vec())) {
            return (events, Err(too_long));
        }
    }
    let end = parser.finish().map(|last| events.extend(last));
    (events, end)
}

/// The same by a plain rule over the whole stream: lines, then empty lines between events.
fn parse_plainly(stream: &[u8]) -> Vec<Vec<u8>> {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut bytes = stream.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if(|&&next| next == b'\n');
                lines.push(Vec::new());
            }
            b'\n' => lines.push(Vec::new()),
            _ => lines.last_mut().expect("there is always a line").push(byte),
        }
    }
    let mut events = Vec::new();
    for event in lines.split(Vec::is_empty) {
        let values: Vec<&[u8]> = event
            .iter()
            .filter_map(|line| match line.strip_prefix(b"data")? {
                [] => Some(&[][..]),
                [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
                _ => None,
            })
            .collect();
        if !values.is_empty() {
            events.push(values.join(&b'\n'));
        }
    }
    events
}
