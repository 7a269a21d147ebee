//! The observation of one request.

use serde::{Deserialize, Serialize};

/// The observation of one request. Times are nanoseconds since the trial began, stamped when bytes were read, before they were parsed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Observation {
    /// Its number in the plan.
    pub request: u32,
    /// Prompt tokens that the plan asked for, the chat template's own included.
    pub planned_prompt_tokens: u32,
    /// Output tokens that the plan asked for.
    pub planned_output_tokens: u32,
    /// Whether the output length was forced (`ignore_eos` or `min_tokens`).
    pub forced_length: bool,
    /// Whether JSON by the suite's schema was asked for. Where the cell asks for it and this is false, the dialect could not.
    pub structured: bool,
    /// When it was due: the arrival time, or the end of the request that it follows.
    pub sched_ns: Option<u64>,
    /// Just before the request was written.
    pub send_ns: Option<u64>,
    /// How long its connection took to open, before the send; none where an open one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ns: Option<u64>,
    /// When the response's status and headers had been read.
    pub headers_ns: Option<u64>,
    /// The first event of any kind.
    pub first_event_ns: Option<u64>,
    /// The first non-empty content, reasoning or tool-call delta.
    pub first_token_ns: Option<u64>,
    /// The first non-empty delta that is not reasoning.
    pub first_content_ns: Option<u64>,
    /// The last delta that brought a token.
    pub last_token_ns: Option<u64>,
    /// The end of the stream, or when it was given up.
    pub end_ns: Option<u64>,
    /// Every chunk that brought text or tokens.
    pub chunks: Chunks,
    /// Where the token counts come from.
    pub token_source: TokenSource,
    /// The token counts that the server reported.
    pub usage: Option<Usage>,
    /// The times that the server gave with its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_timings: Option<crate::ServerTimings>,
    /// `stop`, `length`, ...
    pub finish_reason: Option<String>,
    /// How the request ended; one of seven ways, decided once.
    pub outcome: Outcome,
    /// The text itself, where a caller asked for it by putting an empty string here. Never in a record.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub text: Option<String>,
}

impl Observation {
    /// The observation of a request that was not sent, which is how each one begins.
    #[must_use]
    pub fn unsent(request: &crate::PlannedRequest) -> Self {
        Self {
            request: request.id,
            planned_prompt_tokens: request.prompt_tokens,
            planned_output_tokens: request.output_tokens,
            forced_length: false,
            structured: false,
            sched_ns: None,
            send_ns: None,
            connect_ns: None,
            headers_ns: None,
            first_event_ns: None,
            first_token_ns: None,
            first_content_ns: None,
            last_token_ns: None,
            end_ns: None,
            chunks: Chunks::default(),
            token_source: TokenSource::None,
            usage: None,
            server_timings: None,
            finish_reason: None,
            outcome: Outcome::NotSent,
            text: None,
        }
    }

    /// Output tokens: the server's final count, else the last running count.
    #[must_use]
    pub fn output_tokens(&self) -> Option<u32> {
        match (&self.usage, self.chunks.last()) {
            (Some(usage), _) => Some(usage.completion_tokens),
            (None, Some(chunk)) if self.token_source != TokenSource::None => Some(chunk.tokens),
            _ => None,
        }
    }
}

/// The one way in which a planned request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// It ended as the protocol says: a finish reason, and the end marker where the dialect has one.
    Complete,
    /// The stream ended cleanly but before its end: no finish reason, or no end marker.
    Truncated {
        /// The missing part: a finish reason or the end marker.
        detail: String,
    },
    /// The server refused, by status or by an error object in the stream.
    Rejected {
        /// The HTTP status; for an error object in a stream, its code, else 200.
        status: u16,
        /// The server's words, shortened.
        detail: String,
    },
    /// A time limit passed: the request's, that of silence on its stream, or the trial's.
    TimedOut {
        /// The limit that passed, and its length.
        detail: String,
    },
    /// The connection was refused, reset or closed in the middle, or the run was interrupted.
    Disconnected {
        /// The system's error, or the reason for which the request was given up.
        detail: String,
    },
    /// Bytes that are not the protocol.
    Malformed {
        /// What the parser found instead of the protocol.
        detail: String,
    },
    /// It was planned but never sent.
    NotSent,
}

impl Outcome {
    /// True for a complete answer.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }

    /// The same outcome with its detail changed.
    #[must_use]
    pub fn map_detail(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Truncated { detail } => Self::Truncated { detail: change(detail) },
            Self::Rejected { status, detail } => Self::Rejected { status, detail: change(detail) },
            Self::TimedOut { detail } => Self::TimedOut { detail: change(detail) },
            Self::Disconnected { detail } => Self::Disconnected { detail: change(detail) },
            Self::Malformed { detail } => Self::Malformed { detail: change(detail) },
            Self::Complete | Self::NotSent => self,
        }
    }

    /// The word for it in reports.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Truncated { .. } => "truncated",
            Self::Rejected { .. } => "rejected",
            Self::TimedOut { .. } => "timed out",
            Self::Disconnected { .. } => "disconnected",
            Self::Malformed { .. } => "malformed",
            Self::NotSent => "not sent",
        }
    }
}

/// Where token counts come from. A chunk is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// A running count in every chunk.
    Running,
    /// Only the final usage; the chunks' own counts are its even shares.
    Final,
    /// The model's tokenizer, run over the text after the trial.
    Tokenizer,
    /// None: token metrics are undefined.
    None,
}

/// The token counts that the server reported for a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Usage {
    /// Prompt tokens, the chat template's included.
    pub prompt_tokens: u32,
    /// Output tokens, reasoning included.
    pub completion_tokens: u32,
    /// Prompt tokens that came from the prefix cache, where the server reports it.
    pub cached_tokens: Option<u32>,
}

/// One chunk: when its bytes were read, and the tokens there were by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// When its bytes were read.
    pub t_ns: u64,
    /// Output tokens so far.
    pub tokens: u32,
}

/// A request's chunks, in order. On disk: gaps between stamps, and increments of the count as (increment, repeats) pairs, which
/// is what makes a run small.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "ChunkColumns"))]
#[serde(from = "ChunkColumns", into = "ChunkColumns")]
pub struct Chunks(pub Vec<Chunk>);

impl std::ops::Deref for Chunks {
    type Target = [Chunk];

    fn deref(&self) -> &[Chunk] {
        &self.0
    }
}

impl Chunks {
    /// Appends a chunk; `t_ns` and `tokens` must not be below those of the last one.
    pub fn push(&mut self, t_ns: u64, tokens: u32) {
        self.0.push(Chunk { t_ns, tokens });
    }

    /// Gives each chunk its even share of `total`, for servers that only count at the end.
    pub fn share_evenly(&mut self, total: u32) {
        let chunks = self.0.len() as u64;
        for (index, chunk) in (1u64..).zip(&mut self.0) {
            chunk.tokens = u32::try_from(u64::from(total) * index / chunks).unwrap_or(total);
        }
    }
}

/// [`Chunks`] as they are on disk.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ChunkColumns {
    /// The first chunk's stamp, then each chunk's distance from the one before, in nanoseconds.
    gaps_ns: Vec<u64>,
    /// Tokens that a chunk added, and how many chunks in a row did so.
    added: Vec<(u32, u32)>,
}

impl From<Chunks> for ChunkColumns {
    fn from(chunks: Chunks) -> Self {
        let mut columns = Self { gaps_ns: Vec::with_capacity(chunks.len()), added: Vec::new() };
        let mut before = Chunk { t_ns: 0, tokens: 0 };
        for &chunk in chunks.iter() {
            columns.gaps_ns.push(chunk.t_ns.saturating_sub(before.t_ns));
            let added = chunk.tokens.saturating_sub(before.tokens);
            match columns.added.last_mut() {
                Some((same, repeats)) if *same == added => *repeats += 1,
                _ => columns.added.push((added, 1)),
            }
            before = chunk;
        }
        columns
    }
}

impl From<ChunkColumns> for Chunks {
    fn from(columns: ChunkColumns) -> Self {
        let mut added = columns.added.iter().flat_map(|&(added, repeats)| std::iter::repeat_n(added, repeats as usize));
        let mut chunk = Chunk { t_ns: 0, tokens: 0 };
        let chunks = columns.gaps_ns.iter().map(|&gap_ns| {
            chunk.t_ns = chunk.t_ns.saturating_add(gap_ns);
            chunk.tokens = chunk.tokens.saturating_add(added.next().unwrap_or(0));
            chunk
        });
        Self(chunks.collect())
    }
}
