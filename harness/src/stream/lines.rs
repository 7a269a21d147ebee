//! Lines of JSON (NDJSON), split off as their bytes arrive: right for any split of the bytes.

use crate::sse::EventTooLong;

/// An incremental splitter of lines. A line ends with LF or CRLF; empty ones are skipped.
///
/// A line that arrives whole in one read is handed on in place; only what a read leaves unfinished is copied.
#[derive(Debug)]
pub(super) struct LineSplitter {
    max_bytes: usize,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

impl LineSplitter {
    /// A splitter at the start of a stream, for lines of at most `max_bytes` bytes each.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, line: Vec::new() }
    }

    /// Takes the bytes of one read and hands on each line that they complete.
    pub(super) fn feed(&mut self, bytes: &[u8], mut on_line: impl FnMut(&[u8])) -> Result<(), EventTooLong> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let head = &rest[..end];
            rest = &rest[end + 1..];
            if self.line.is_empty() {
                self.check(head.len())?;
                hand_on(head, &mut on_line);
            } else {
                self.carry(head)?;
                hand_on(&self.line, &mut on_line);
                self.line.clear();
            }
        }
        self.carry(rest)
    }

    /// Ends the stream and returns a line that was still open.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        let mut last = None;
        hand_on(&self.line, &mut |line: &[u8]| last = Some(line.to_vec()));
        last
    }

    fn carry(&mut self, part: &[u8]) -> Result<(), EventTooLong> {
        self.check(self.line.len() + part.len())?;
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn check(&self, bytes: usize) -> Result<(), EventTooLong> {
        if bytes > self.max_bytes { Err(EventTooLong { max_bytes: self.max_bytes }) } else { Ok(()) }
    }
}

fn hand_on(line: &[u8], on_line: &mut impl FnMut(&[u8])) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.trim_ascii().is_empty() {
        on_line(line);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;

    fn lines<'a>(max_bytes: usize, parts: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<String>, EventTooLong> {
        let mut splitter = LineSplitter::new(max_bytes);
        let mut lines = Vec::new();
        for part in parts {
            splitter.feed(part, |line| lines.push(String::from_utf8(line.to_vec()).unwrap()))?;
        }
        lines.extend(splitter.finish().map(|line| format!("open: {}", String::from_utf8(line).unwrap())));
        Ok(lines)
    }

    #[test]
    fn line_ends_with_lf_or_crlf() {
        let check = |text: &str, expected: &[&str]| assert_eq!(lines(9, [text.as_bytes()]).unwrap(), expected, "{text:?}");
        check("a\nb\r\nc\n", &["a", "b", "c"]);
        check("\n\r\n \na\n", &["a"]);
        check("a\rb\n", &["a\rb"]);
        check("a\nb", &["a", "open: b"]);
        check("a\nb\r", &["a", "open: b"]);
        check("", &[]);
    }

    #[test]
    fn line_of_limit_length_is_accepted_and_longer_refused() {
        for parts in [vec![&b"12345\n"[..]], vec![b"123", b"45\n"], vec![b"12345", b"\n"]] {
            assert_eq!(lines(5, parts.clone()).unwrap(), ["12345"], "{parts:?}");
            assert_eq!(lines(4, parts.clone()), Err(EventTooLong { max_bytes: 4 }), "{parts:?}");
        }
    }

    proptest! {
        #[test]
        fn lines_are_independent_of_split(text in "[ab\r\n]{0,40}", cuts in prop::collection::vec(any::<Index>(), 0..6)) {
            let bytes = text.as_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let parts = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
            prop_assert_eq!(lines(99, parts).unwrap(), lines(99, [bytes]).unwrap());
        }
    }
}
