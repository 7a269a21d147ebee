//! An answer's HTTP/1.x frame, read as its bytes arrive: right for any split of the bytes, and nothing of it without a limit.
//!
//! The grammar is RFC 9112 (section 6.3 for where a body ends, 7.1 for chunks); `httparse` reads the head. What is left of it is here and
//! not in a client's library, since between a read and its stamp there must be no other task and no channel:
//! docs/decisions/0003-http-is-read-by-the-harness.md. It is pure, and open to the fuzz target `response`.

use self::chunked::Chunked;

mod chunked;
#[cfg(test)]
mod tests;

/// The longest head, in bytes. Servers have some hundred.
pub(super) const MAX_HEAD_BYTES: usize = 256 << 10;
/// As many bytes tell whether it is HTTP at all.
const FIRST_BYTES: usize = 64;
/// The most interim answers before the answer.
const MAX_INTERIM: u32 = 16;
/// The most headers that one may have.
const MAX_HEADERS: usize = 128;

/// Bytes that are not the protocol, or not within its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedResponse {
    /// The bytes in place of the head are not HTTP.
    #[error("the answer's head is not HTTP: {0}")]
    Head(httparse::Error),
    /// Limits of the head.
    #[error("the answer's head has more than {MAX_HEADERS} headers")]
    TooManyHeaders,
    #[error("the answer's head is longer than {MAX_HEAD_BYTES} bytes")]
    HeadTooLong,
    #[error("more than {MAX_INTERIM} interim answers came before the answer")]
    TooManyInterim,
    /// A frame that says two things, or something unknown.
    #[error("the answer's `{header}` makes no sense: {value}")]
    Framing { header: &'static str, value: String },
    #[error("the answer's chunks: {0}")]
    Chunk(&'static str),
}

/// The parts of an answer's head that are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    pub content_type: Option<String>,
    /// How the body is compressed.
    pub content_encoding: Option<String>,
    /// Where else it wants to be asked.
    pub location: Option<String>,
    /// The server will take another request on this connection.
    pub keeps_connection: bool,
    framing: Framing,
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// A head whose end has not come yet.
#[derive(Debug, Default)]
pub struct HeadReader {
    bytes: Vec<u8>,
    interim: u32,
}

impl HeadReader {
    /// Takes the bytes of one read. The head, once it is whole, comes with how many of these bytes were its own.
    ///
    /// # Errors
    /// What comes is no head, or longer than any is.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<(Head, usize)>, MalformedResponse> {
        let mut taken = 0;
        loop {
            let before = self.bytes.len();
            self.bytes.extend_from_slice(&bytes[taken..]);
            // A head that trickles in must not be read again for each byte: once it has begun well, only a line's end changes anything.
            let parsed = if self.bytes.len() <= FIRST_BYTES || self.bytes[before..].contains(&b'\n') {
                parse_head(&self.bytes)?
            } else {
                None
            };
            match parsed {
                Some((head, length)) => {
                    taken += length - before;
                    // An interim answer (100, 103) only says that the answer is to come. 101 is one: it ends what is HTTP.
                    if !(100..200).contains(&head.status) || head.status == 101 {
                        return Ok(Some((head, taken)));
                    }
                    self.interim += 1;
                    if self.interim > MAX_INTERIM {
                        return Err(MalformedResponse::TooManyInterim);
                    }
                    self.bytes.clear();
                }
                None if self.bytes.len() > MAX_HEAD_BYTES => return Err(MalformedResponse::HeadTooLong),
                None => return Ok(None),
            }
        }
    }

    /// Whether nothing has come since the last interim answer, or at all.
    #[must_use]
    pub fn is_between_heads(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether some of an answer has come.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.interim > 0 || !self.bytes.is_empty()
    }
}

/// The head that these bytes begin with, and its length; none while its end is missing.
fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, MalformedResponse> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(MalformedResponse::TooManyHeaders),
        Err(error) => return Err(MalformedResponse::Head(error)),
    };
    let status = response.code.unwrap_or(0);
    let mut parsed = ParsedHeaders { keeps_connection: response.version == Some(1), ..ParsedHeaders::default() };
    for header in response.headers.iter() {
        parsed.take(header)?;
    }
    Ok(Some((parsed.into_head(status)?, length)))
}

/// The headers that matter.
#[derive(Default)]
struct ParsedHeaders {
    length: Option<u64>,
    chunked: Option<bool>,
    keeps_connection: bool,
    content_type: Option<String>,
    content_encoding: Option<String>,
    location: Option<String>,
}

impl ParsedHeaders {
    fn take(&mut self, header: &httparse::Header<'_>) -> Result<(), MalformedResponse> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let value = String::from_utf8_lossy(header.value);
        let bad = |header| MalformedResponse::Framing { header, value: value.clone().into_owned() };
        if is("content-length") {
            let length = Some(value.trim().parse().map_err(|_| bad("content-length"))?);
            if self.length.is_some() && self.length != length {
                return Err(bad("content-length"));
            }
            self.length = length;
        } else if is("transfer-encoding") {
            if self.chunked.is_some() || !value.trim().eq_ignore_ascii_case("chunked") {
                return Err(bad("transfer-encoding"));
            }
            self.chunked = Some(true);
        } else if is("connection") {
            for option in value.split(',').map(str::trim) {
                if option.eq_ignore_ascii_case("close") {
                    self.keeps_connection = false;
                } else if option.eq_ignore_ascii_case("keep-alive") {
                    self.keeps_connection = true;
                }
            }
        } else if is("content-type") {
            self.content_type = Some(value.into_owned());
        } else if is("content-encoding") {
            self.content_encoding = Some(value.into_owned());
        } else if is("location") {
            self.location = Some(value.into_owned());
        }
        Ok(())
    }

    fn into_head(self, status: u16) -> Result<Head, MalformedResponse> {
        if self.chunked.is_some() && self.length.is_some() {
            let value = "beside a transfer-encoding".to_owned();
            return Err(MalformedResponse::Framing { header: "content-length", value });
        }
        let framing = match (status, self.chunked, self.length) {
            (101 | 204 | 304, ..) => Framing::Length(0),
            (_, Some(_), _) => Framing::Chunked,
            (_, None, Some(length)) => Framing::Length(length),
            (_, None, None) => Framing::UntilClose,
        };
        Ok(Head {
            status,
            content_type: self.content_type,
            content_encoding: self.content_encoding,
            location: self.location,
            keeps_connection: self.keeps_connection && status != 101 && framing != Framing::UntilClose,
            framing,
        })
    }
}

/// A body whose end may not have come yet.
#[derive(Debug)]
pub struct BodyDecoder(RemainingBody);

/// The part of a body that has not arrived yet.
#[derive(Debug)]
enum RemainingBody {
    Length { missing: u64, is_exceeded: bool },
    Chunked(Chunked),
    UntilClose,
}

impl BodyDecoder {
    /// The body that follows a head.
    #[must_use]
    pub fn of(head: &Head) -> Self {
        Self(match head.framing {
            Framing::Length(missing) => RemainingBody::Length { missing, is_exceeded: false },
            Framing::Chunked => RemainingBody::Chunked(Chunked::default()),
            Framing::UntilClose => RemainingBody::UntilClose,
        })
    }

    /// Takes the bytes of one read and hands on those of the body, in place.
    ///
    /// # Errors
    /// Its chunks are not the encoding, or their lines longer than any are.
    pub fn feed(&mut self, bytes: &[u8], mut on_data: impl FnMut(&[u8])) -> Result<(), MalformedResponse> {
        match &mut self.0 {
            RemainingBody::Length { missing, is_exceeded } => {
                let own = usize::try_from(*missing).unwrap_or(usize::MAX).min(bytes.len());
                if own > 0 {
                    on_data(&bytes[..own]);
                }
                *missing -= own as u64;
                *is_exceeded |= own < bytes.len();
                Ok(())
            }
            RemainingBody::Chunked(chunked) => chunked.feed(bytes, on_data),
            RemainingBody::UntilClose => {
                if !bytes.is_empty() {
                    on_data(bytes);
                }
                Ok(())
            }
        }
    }

    /// Its end has been read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.0 {
            RemainingBody::Length { missing, .. } => *missing == 0,
            RemainingBody::Chunked(chunked) => chunked.is_done(),
            RemainingBody::UntilClose => false,
        }
    }

    /// Nothing came after its end, so that the next answer on this connection begins where it should.
    #[must_use]
    pub fn ended_cleanly(&self) -> bool {
        match &self.0 {
            RemainingBody::Length { missing, is_exceeded } => *missing == 0 && !is_exceeded,
            RemainingBody::Chunked(chunked) => chunked.is_done() && !chunked.is_exceeded(),
            RemainingBody::UntilClose => false,
        }
    }

    /// The server closed the connection: whether the body may end here, else what is missing.
    ///
    /// # Errors
    /// The body was not whole.
    pub fn end(&self) -> Result<(), &'static str> {
        match &self.0 {
            RemainingBody::UntilClose => Ok(()),
            _ if self.is_done() => Ok(()),
            RemainingBody::Length { .. } => Err("closed before the body had its stated length"),
            RemainingBody::Chunked(_) => Err("closed before the body's last chunk"),
        }
    }
}
