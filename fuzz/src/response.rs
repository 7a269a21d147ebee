//! An HTTP answer: a seed for the reads, then the bytes of a connection.

use harness::http::response::{BodyDecoder, Head, HeadReader, MalformedResponse};

/// What became of a connection's bytes.
#[derive(Debug, Default, PartialEq)]
struct ParsedConnection {
    head: Option<Head>,
    data: Vec<u8>,
    /// Whether the body is done, whether it ended cleanly, and what is missing if the connection ends here.
    body: Option<(bool, bool, Result<(), &'static str>)>,
    error: Option<MalformedResponse>,
}

/// Any split of the bytes ends in the same head, body and verdict; a body is shorter than what was read; and one that is done lacks
/// nothing.
pub fn check(data: &[u8]) {
    let [seed, answer @ ..] = data else { return };
    // A head is looked at where a line ends, so that the last line must.
    let answer = [answer, b"\n"].concat();
    let whole = read(&[&answer]);
    assert!(whole.data.len() < answer.len(), "more was handed on than was read");
    if let (Some(head), None) = (&whole.head, &whole.error) {
        assert!(head.status < 1000, "status {}", head.status);
        let (is_done, ended_cleanly, end) = whole.body.unwrap();
        assert!(is_done || !ended_cleanly, "it ended cleanly before its end");
        assert!(!is_done || end.is_ok(), "something is missing of what is done");
    }
    let single: Vec<&[u8]> = answer.chunks(1).collect();
    for parts in [single, super::reads(*seed, &answer)] {
        assert_eq!(read(&parts), whole, "cut in {}", parts.len());
    }
}

fn read(parts: &[&[u8]]) -> ParsedConnection {
    let (mut head_reader, mut body) = (HeadReader::default(), None::<BodyDecoder>);
    let mut parsed = ParsedConnection::default();
    for part in parts {
        if let Err(error) = read_part(part, &mut head_reader, &mut body, &mut parsed) {
            parsed.error = Some(error);
            return parsed;
        }
    }
    parsed.body = body.map(|body| (body.is_done(), body.ended_cleanly(), body.end()));
    parsed
}

fn read_part(
    part: &[u8],
    head_reader: &mut HeadReader,
    body: &mut Option<BodyDecoder>,
    parsed: &mut ParsedConnection,
) -> Result<(), MalformedResponse> {
    let mut part = part;
    if body.is_none() {
        let Some((head, taken)) = head_reader.feed(part)? else { return Ok(()) };
        *body = Some(BodyDecoder::of(&head));
        parsed.head = Some(head);
        part = &part[taken..];
    }
    body.as_mut().map_or(Ok(()), |body| body.feed(part, |bytes| parsed.data.extend_from_slice(bytes)))
}
