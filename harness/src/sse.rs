//! Server-sent events, parsed as their bytes arrive: right for any split of the bytes.
//!
//! The grammar is that of the HTML standard, section 9.2 (server-sent events): a line ends with LF, CRLF or CR; an empty line ends
//! an event; the values of its `data` fields, joined by LF, are its data. Names, ids and retry times of events mean nothing here.

use memchr::memchr2;

#[cfg(test)]
mod tests;

/// The longest line or event that is accepted, in bytes, unless told otherwise: a chunk of an answer has some hundred.
pub const DEFAULT_MAX_EVENT_BYTES: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An incremental parser of server-sent events.
///
/// An event that arrives whole in one read is handed on in place. Only what a read leaves unfinished is copied, into buffers
/// that are kept.
#[derive(Debug)]
pub struct SseParser {
    max_bytes: usize,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// The data lines of an event whose end has not come yet, where they could not be left in place.
    data: Vec<u8>,
    has_data: bool,
    /// The last line ended with CR at the end of a read, so that an LF may belong to it.
    skip_lf: bool,
    at_start: bool,
}

/// A line or an event longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line or event of more than {max_bytes} bytes")]
pub struct EventTooLong {
    /// The limit, in bytes.
    pub max_bytes: usize,
}

impl SseParser {
    /// A parser at the start of a stream, for lines and events of at most `max_bytes` bytes each.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, line: Vec::new(), data: Vec::new(), has_data: false, skip_lf: false, at_start: true }
    }

    /// Takes the bytes of one read and hands on the data of each event that they complete.
    pub fn feed(&mut self, bytes: &[u8], mut on_event: impl FnMut(&[u8])) -> Result<(), EventTooLong> {
        let mut rest = bytes;
        // The data of the event being read, as long as it is one line that lies within this read.
        let mut in_place: Option<&[u8]> = None;
        loop {
            if self.skip_lf && !rest.is_empty() {
                self.skip_lf = false;
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
            let Some(end) = memchr2(b'\n', b'\r', rest) else { break };
            let (head, tail) = rest.split_at(end);
            self.skip_lf = tail[0] == b'\r';
            rest = &tail[1..];
            if self.line.is_empty() {
                self.take_line(head, &mut in_place, &mut on_event)?;
            } else {
                self.carry(head)?;
                let line = std::mem::take(&mut self.line);
                // A line put together from several reads is not in place; its data is copied at once.
                let mut copied = None;
                self.take_line(&line, &mut copied, &mut on_event)?;
                self.keep(copied)?;
                self.line = line;
                self.line.clear();
            }
        }
        self.keep(in_place)?;
        self.carry(rest)
    }

    /// Ends the stream and returns the data of an event that was still open. The standard drops such an event, but some servers
    /// leave out the last empty line.
    pub fn finish(mut self) -> Result<Option<Vec<u8>>, EventTooLong> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            let mut last = None;
            self.take_line(&line, &mut last, &mut |_| ())?;
            self.keep(last)?;
        }
        Ok(self.has_data.then_some(self.data))
    }

    fn take_line<'b>(
        &mut self,
        line: &'b [u8],
        in_place: &mut Option<&'b [u8]>,
        on_event: &mut impl FnMut(&[u8]),
    ) -> Result<(), EventTooLong> {
        if line.len() > self.max_bytes {
            return Err(self.too_long());
        }
        let line = if std::mem::take(&mut self.at_start) { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        if line.is_empty() {
            if let Some(data) = in_place.take() {
                on_event(data);
            } else if std::mem::take(&mut self.has_data) {
                on_event(&self.data);
                self.data.clear();
            }
        } else if let Some(value) = data_value(line) {
            self.keep(in_place.take())?;
            if self.has_data {
                self.keep(Some(value))?;
            } else {
                *in_place = Some(value);
            }
        }
        Ok(())
    }

    /// Copies a data line, because the event's end is not in the same place.
    fn keep(&mut self, value: Option<&[u8]>) -> Result<(), EventTooLong> {
        let Some(value) = value else { return Ok(()) };
        if self.data.len() + value.len() >= self.max_bytes {
            return Err(self.too_long());
        }
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        Ok(())
    }

    /// Copies the beginning of a line, because its end has not come yet.
    fn carry(&mut self, part: &[u8]) -> Result<(), EventTooLong> {
        if self.line.len() + part.len() > self.max_bytes {
            return Err(self.too_long());
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn too_long(&self) -> EventTooLong {
        EventTooLong { max_bytes: self.max_bytes }
    }
}

/// The value of a `data` field; `None` for comments and other fields.
fn data_value(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"data")?;
    match rest {
        [] => Some(rest),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}
