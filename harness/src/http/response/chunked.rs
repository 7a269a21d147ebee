//! The chunked transfer encoding.

use super::MalformedResponse;

/// The longest line with a chunk's size and its extensions, in bytes.
const MAX_SIZE_LINE_BYTES: usize = 4 << 10;
/// The most bytes of trailers.
const MAX_TRAILER_BYTES: usize = 64 << 10;

const NO_SIZE: &str = "a size is not a number in hexadecimal on a line of its own";

/// A chunked body, wherever its bytes are split.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    state: State,
    /// A line whose end has not come yet.
    line: Vec<u8>,
    /// Bytes of trailers so far.
    trailer_bytes: usize,
    is_exceeded: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The line with the size of the next chunk.
    #[default]
    Size,
    /// So many bytes of a chunk are missing.
    Data(u64),
    /// The line's end after a chunk.
    DataEnd,
    /// Lines after the last chunk, up to an empty one.
    Trailers,
    Done,
}

impl Chunked {
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    pub(super) fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }

    pub(super) fn feed(&mut self, bytes: &[u8], mut on_data: impl FnMut(&[u8])) -> Result<(), MalformedResponse> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Data(missing) => {
                    let own = usize::try_from(missing).unwrap_or(usize::MAX).min(rest.len());
                    on_data(&rest[..own]);
                    let missing = missing - own as u64;
                    self.state = if missing == 0 { State::DataEnd } else { State::Data(missing) };
                    &rest[own..]
                }
                State::Done => {
                    self.is_exceeded = true;
                    return Ok(());
                }
                State::Size | State::DataEnd | State::Trailers => self.take_line(rest)?,
            };
        }
        Ok(())
    }

    /// Takes a line, or as much of it as there is, and returns what follows it.
    fn take_line<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], MalformedResponse> {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        let most = match self.state {
            State::Size => MAX_SIZE_LINE_BYTES,
            State::DataEnd => 2,
            _ => MAX_TRAILER_BYTES - self.trailer_bytes,
        };
        if self.line.len() + part.len() > most {
            return Err(self.too_long());
        }
        if end.is_some() && self.line.is_empty() {
            // The usual case: the whole line lies in this read.
            self.apply(part)?;
        } else {
            self.line.extend_from_slice(part);
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                self.apply(&line)?;
                // Its memory is kept for the next one.
                self.line = line;
                self.line.clear();
            }
        }
        Ok(rest)
    }

    /// Goes on after a whole line, its LF included.
    fn apply(&mut self, line: &[u8]) -> Result<(), MalformedResponse> {
        self.state = match self.state {
            // To httparse a line without a number is one with 0.
            State::Size => match httparse::parse_chunk_size(line) {
                _ if !line[0].is_ascii_hexdigit() => return Err(MalformedResponse::Chunk(NO_SIZE)),
                Ok(httparse::Status::Complete((_, 0))) => State::Trailers,
                Ok(httparse::Status::Complete((length, size))) if length == line.len() => State::Data(size),
                _ => return Err(MalformedResponse::Chunk(NO_SIZE)),
            },
            State::DataEnd if line == b"\r\n" => State::Size,
            State::DataEnd => return Err(MalformedResponse::Chunk("one is longer than its size says")),
            State::Trailers => {
                self.trailer_bytes += line.len();
                if line == b"\r\n" { State::Done } else { State::Trailers }
            }
            state @ (State::Data(_) | State::Done) => state,
        };
        Ok(())
    }

    fn too_long(&self) -> MalformedResponse {
        MalformedResponse::Chunk(match self.state {
            State::Size => "a line with a size is longer than 4 KiB",
            State::DataEnd => "one is longer than its size says",
            _ => "the trailers are longer than 64 KiB",
        })
    }
}
