use proptest::{prelude::*, sample::Index};

use super::*;

/// What became of an answer: its status, its body, and how it stands at the end of the bytes.
fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut head_reader = HeadReader::default();
    let mut body: Option<(u16, BodyDecoder)> = None;
    let mut data = Vec::new();
    for part in parts {
        let mut part = part;
        if body.is_none() {
            match head_reader.feed(part) {
                Ok(Some((head, taken))) => {
                    body = Some((head.status, BodyDecoder::of(&head)));
                    part = &part[taken..];
                }
                Ok(None) => continue,
                Err(error) => return error.to_string(),
            }
        }
        let fed = body.as_mut().map(|(_, body)| body.feed(part, |bytes| data.extend_from_slice(bytes)));
        if let Some(Err(error)) = fed {
            return format!("{:?} then {error}", String::from_utf8_lossy(&data));
        }
    }
    let Some((status, body)) = body else { return "no head".to_owned() };
    let state = match (body.is_done(), body.ended_cleanly(), body.end()) {
        (true, true, _) => "done",
        (true, false, _) => "done, and more came",
        (false, _, Ok(())) => "open",
        (false, _, Err(why)) => why,
    };
    format!("{status} {:?} {state}", String::from_utf8_lossy(&data))
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn body_ends_where_the_head_says() {
    let long_line = format!("{CHUNKED}1;{}\r\na\r\n", "x".repeat(5000));
    let long_trailer = format!("{CHUNKED}0\r\nx: {}\r\n\r\n", "x".repeat(70_000));
    let headers = "x: y\r\n".repeat(200);
    let table = [
        ("length", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab".to_owned()),
        ("shorter", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab".to_owned()),
        ("longer", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab".to_owned()),
        ("no body", "HTTP/1.1 204 No Content\r\n\r\n".to_owned()),
        ("until close", "HTTP/1.1 200 OK\r\n\r\nab".to_owned()),
        ("interim", format!("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n{CHUNKED}0\r\n\r\n")),
        ("switching", "HTTP/1.1 101 Switching Protocols\r\n\r\n".to_owned()),
        ("chunks", format!("{CHUNKED}1\r\na\r\n02\r\nbc\r\n0\r\n\r\n")),
        ("extension", format!("{CHUNKED}1;a=b\r\na\r\n0;c\r\n\r\n")),
        ("trailers", format!("{CHUNKED}1\r\na\r\n0\r\nx: y\r\nz: 1\r\n\r\n")),
        ("after the end", format!("{CHUNKED}0\r\n\r\nHTTP/1.1")),
        ("no last chunk", format!("{CHUNKED}1\r\na\r\n")),
        ("not a size", format!("{CHUNKED}1\r\na\r\nzz\r\n")),
        ("no size", format!("{CHUNKED}1\r\na\r\n\r\n0\r\n\r\n")),
        ("only an extension", format!("{CHUNKED};a=b\r\n\r\n")),
        ("huge size", format!("{CHUNKED}fffffffffffffffff\r\n")),
        ("wrong size", format!("{CHUNKED}1\r\nab\r\n")),
        ("long size line", long_line),
        ("long trailers", long_trailer),
        ("many headers", format!("HTTP/1.1 200 OK\r\n{headers}\r\n")),
        ("two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na".to_owned()),
        ("same lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na".to_owned()),
        ("negative", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\na".to_owned()),
        ("both", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()),
        ("gzip, chunked", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n".to_owned()),
        ("not HTTP", "SSH-2.0-OpenSSH\r\n".to_owned()),
        ("part of a head", "HTTP/1.1 200".to_owned()),
    ];
    let lines: Vec<_> = table.iter().map(|(name, bytes)| format!("{name}: {}", read([bytes.as_bytes()]))).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    length: 200 "ab" done
    shorter: 200 "ab" closed before the body had its stated length
    longer: 200 "a" done, and more came
    no body: 204 "" done
    until close: 200 "ab" open
    interim: 200 "" done
    switching: 101 "" done
    chunks: 200 "abc" done
    extension: 200 "a" done
    trailers: 200 "a" done
    after the end: 200 "" done, and more came
    no last chunk: 200 "a" closed before the body's last chunk
    not a size: "a" then the answer's chunks: a size is not a number in hexadecimal on a line of its own
    no size: "a" then the answer's chunks: a size is not a number in hexadecimal on a line of its own
    only an extension: "" then the answer's chunks: a size is not a number in hexadecimal on a line of its own
    huge size: "" then the answer's chunks: a size is not a number in hexadecimal on a line of its own
    wrong size: "a" then the answer's chunks: one is longer than its size says
    long size line: "" then the answer's chunks: a line with a size is longer than 4 KiB
    long trailers: "" then the answer's chunks: the trailers are longer than 64 KiB
    many headers: the answer's head has more than 128 headers
    two lengths: the answer's `content-length` makes no sense: 2
    same lengths: 200 "a" done
    negative: the answer's `content-length` makes no sense: -1
    both: the answer's `content-length` makes no sense: beside a transfer-encoding
    gzip, chunked: the answer's `transfer-encoding` makes no sense: gzip, chunked
    not HTTP: the answer's head is not HTTP: invalid HTTP version
    part of a head: no head
    "#);
}

#[test]
fn endless_head_is_refused() {
    let mut reader = HeadReader::default();
    let mut given = 0;
    let part = [b'x'; 4096];
    assert_eq!(reader.feed(b"HTTP/1.1 200 OK\r\nx: "), Ok(None));
    let error = loop {
        given += part.len();
        match reader.feed(&part) {
            Ok(None) => assert!(given < 2 * MAX_HEAD_BYTES, "it reads for ever"),
            other => break other.unwrap_err(),
        }
    };
    assert_eq!(error, MalformedResponse::HeadTooLong);
}

#[test]
fn connection_is_kept_by_version_and_header() {
    let keeps = |head: &str| {
        let bytes = format!("{head}\r\n\r\n");
        HeadReader::default().feed(bytes.as_bytes()).unwrap().unwrap().0.keeps_connection
    };
    assert!(keeps("HTTP/1.1 200 OK\r\ncontent-length: 0"));
    assert!(!keeps("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: Close"));
    assert!(!keeps("HTTP/1.1 200 OK"), "its body ends with the connection");
    assert!(!keeps("HTTP/1.0 200 OK\r\ncontent-length: 0"));
    assert!(keeps("HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive"));
}

proptest! {
    #[test]
    fn response_is_independent_of_read_boundaries(
        body in prop::collection::vec("[a-c\r\n]{1,9}", 0..5),
        ending in prop::sample::select(vec!["0\r\n\r\n", "0\r\nx: y\r\n\r\n", "0\r\n", "1\r\n", "zz\r\n", "0\r\n\r\nHTTP"]),
        interim in any::<bool>(),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let chunks: Vec<_> = body.iter().map(|chunk| format!("{:x};e\r\n{chunk}\r\n", chunk.len())).collect();
        let chunks = chunks.concat();
        let interim = if interim { "HTTP/1.1 100 Continue\r\n\r\n" } else { "" };
        let bytes = format!("{interim}{CHUNKED}{chunks}{ending}");
        let bytes = bytes.as_bytes();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let parts = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        prop_assert_eq!(read(parts), read([bytes]));
        prop_assert_eq!(read(bytes.chunks(1)), read([bytes]));
    }
}
