//! A run file: its bytes as they are, or its lines in plain text, each to become a gzip member, the file then cut somewhere.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use record::{
    Entry,
    file::{ReadError, UnreadableTail, decode, encode, open},
};

/// What is read and written again is equal; of a torn file all that is before the tear is read.
pub fn check(data: &[u8]) {
    let [cut_64ths, lines @ ..] = data else { return };
    // Bytes that are compressed already cannot be changed to any purpose, so most inputs are plain lines.
    let bytes = if *cut_64ths == u8::MAX { lines.to_vec() } else { file(lines) };
    let Ok(entries) = read(&bytes) else {
        assert!(decode(&bytes).is_err(), "one reader takes what the other refuses");
        return;
    };
    check_whole(&bytes, &entries.0);
    if *cut_64ths < 64 {
        let cut = bytes.len() * usize::from(*cut_64ths) / 64;
        match read(&bytes[..cut]) {
            Ok((before, tail)) => {
                assert_eq!(before, entries.0[..before.len()], "cut at {cut}: other entries");
                if let Some(tail) = tail {
                    assert_eq!(tail.at_byte + tail.bytes, cut, "the tail does not end where the file does");
                }
            }
            Err(ReadError::Empty | ReadError::NotARecord { .. } | ReadError::Newer { .. }) => (),
        }
    }
}

/// A run file whose members are stored, which is quick.
fn file(lines: &[u8]) -> Vec<u8> {
    lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).flat_map(member).collect()
}

fn member(line: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(line).and_then(|()| gzip.finish()).expect("memory takes all")
}

/// All entries, the header among them, and what could not be read.
fn read(bytes: &[u8]) -> Result<(Vec<Entry>, Option<UnreadableTail>), ReadError> {
    let (header, rest) = open(bytes)?;
    let mut entries = vec![Entry::Header(Box::new(header))];
    let mut unreadable = None;
    for entry in rest {
        assert!(unreadable.is_none(), "something is read behind what cannot be");
        match entry {
            Ok(entry) => entries.push(entry),
            Err(tail) => unreadable = Some(tail),
        }
    }
    Ok((entries, unreadable))
}

fn check_whole(bytes: &[u8], entries: &[Entry]) {
    let written: Vec<u8> = entries.iter().flat_map(encode).collect();
    assert_eq!(read(&written), Ok((entries.to_vec(), None)), "what was written is not what was read");
    let (mut before, after) = (decode(bytes).expect("it was read before"), decode(&written).expect("it was written by us"));
    before.unreadable_tail = None;
    assert_eq!(before, after, "written and read again");
}
