//! The run file: gzip members, one JSON line each, so that `zcat` reads it and a truncated tail costs one trial.
//!
//! An entry is encoded whole before it is written. Whoever appends flushes to the disk after each entry.

use std::io::{Read, Write};

use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Boot, End, Header, SCHEMA_VERSION, Trial};

/// The run file's name within a run's folder. `zcat` reads it.
pub const FILE_NAME: &str = "record.jsonl.gz";

/// One line of a run file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The run's description; the first line, once.
    Header(Box<Header>),
    /// A start of the engine; its trials follow.
    Boot(Box<Boot>),
    /// A trial of the boot before it.
    Trial(Box<Trial>),
    /// How the run ended; the last line, once.
    End(End),
}

/// A run on disk, read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The first entry: what was planned, on which machine, with which recipe.
    pub header: Header,
    /// Starts of the engine.
    pub boots: Vec<Boot>,
    /// Trials, in the order in which they were run.
    pub trials: Vec<Trial>,
    /// How it ended; none if the file is truncated.
    pub end: Option<End>,
    /// The part of the file that could not be read; none in a whole file.
    pub unreadable_tail: Option<UnreadableTail>,
}

/// The unreadable tail of a run file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableTail {
    /// Offset of its first byte in the file.
    pub at_byte: usize,
    /// How many bytes it has, up to the end of the file.
    pub bytes: usize,
    /// Why it cannot be read.
    pub why: String,
}

/// A file that is no record, or not one for this version.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ReadError {
    /// The file has no bytes.
    #[error("the file is empty: the run ended before its header was written")]
    Empty,
    /// The first entry cannot be read.
    #[error("not a record: {why}")]
    NotARecord {
        /// What the decompressor or the JSON parser reports.
        why: String,
    },
    /// Written by a newer version.
    #[error("the record has schema version {found}, this program reads up to {SCHEMA_VERSION}: update it")]
    Newer {
        /// The version in the file, above [`SCHEMA_VERSION`].
        found: u32,
    },
}

/// Encodes one entry as a gzip member. The same entry gives the same bytes on every machine.
///
/// # Panics
/// Never: plain data always serialises, and writing to memory does not fail.
#[must_use]
pub fn encode(entry: &Entry) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(6));
    serde_json::to_writer(&mut gzip, entry).expect("plain data serialises");
    gzip.write_all(b"\n").expect("memory takes all");
    gzip.finish().expect("memory takes all")
}

/// Reads a run file. An unreadable tail is kept apart in [`Record::unreadable_tail`]; an unreadable head is an error.
pub fn decode(bytes: &[u8]) -> Result<Record, ReadError> {
    let (header, entries) = open(bytes)?;
    let mut record = Record { header, boots: Vec::new(), trials: Vec::new(), end: None, unreadable_tail: None };
    for entry in entries {
        match entry {
            Ok(Entry::Header(_)) => {}
            Ok(Entry::Boot(boot)) => record.boots.push(*boot),
            Ok(Entry::Trial(trial)) => record.trials.push(*trial),
            Ok(Entry::End(end)) => record.end = Some(end),
            Err(tail) => record.unreadable_tail = Some(tail),
        }
    }
    Ok(record)
}

/// Opens a run file: its header, and what comes after it, entry by entry, so that none but one trial need be in memory.
pub fn open(bytes: &[u8]) -> Result<(Header, Entries<'_>), ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    let mut rest = bytes;
    let not_a_record = |why: String| ReadError::NotARecord { why };
    let line = next_line(&mut rest).map_err(not_a_record)?;
    check_version(&line)?;
    let Entry::Header(header) = parse(&line).map_err(not_a_record)? else {
        return Err(not_a_record("its first entry is not a header".to_owned()));
    };
    Ok((*header, Entries { rest, length: bytes.len(), ended: false }))
}

/// The entries after a run file's header, in order. An unreadable one ends them.
#[derive(Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    length: usize,
    /// The run's end was read.
    ended: bool,
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, UnreadableTail>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let left = self.rest.len();
        let entry = next_line(&mut self.rest).and_then(|line| parse(&line)).and_then(|entry| self.check(entry));
        Some(entry.map_err(|why| {
            self.rest = &[];
            UnreadableTail { at_byte: self.length - left, bytes: left, why }
        }))
    }
}

impl Entries<'_> {
    fn check(&mut self, entry: Entry) -> Result<Entry, String> {
        match entry {
            _ if self.ended => return Err("there is more after the run's end".to_owned()),
            Entry::Header(_) => return Err("a second header".to_owned()),
            Entry::End(_) => self.ended = true,
            Entry::Boot(_) | Entry::Trial(_) => {}
        }
        Ok(entry)
    }
}

fn next_line(rest: &mut &[u8]) -> Result<String, String> {
    let mut member = GzDecoder::new(*rest);
    let mut line = String::new();
    member.read_to_string(&mut line).map_err(|error| error.to_string())?;
    *rest = member.into_inner();
    Ok(line)
}

fn parse(line: &str) -> Result<Entry, String> {
    serde_json::from_str(line).map_err(|error| error.to_string())
}

/// Looks at the version alone first: a newer header need not parse.
fn check_version(line: &str) -> Result<(), ReadError> {
    #[derive(Deserialize)]
    struct Line {
        header: VersionedHeader,
    }
    #[derive(Deserialize)]
    struct VersionedHeader {
        schema_version: u32,
    }
    let line: Line = serde_json::from_str(line).map_err(|error| ReadError::NotARecord { why: error.to_string() })?;
    if line.header.schema_version > SCHEMA_VERSION {
        return Err(ReadError::Newer { found: line.header.schema_version });
    }
    Ok(())
}
