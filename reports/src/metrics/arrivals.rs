//! Arrivals of a request's tokens, from which ITL, ICL, TPOT and the token curve are computed.

use record::{Observation, TokenSource};

#[cfg(test)]
mod tests;

/// Tokens that arrived together, after the first.
///
/// Chunks with the same stamp came in one read and are one arrival. A chunk that raises no count is not an arrival: its gap is added to that of the
/// next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Stamp of the read, in nanoseconds since the trial began.
    pub t_ns: u64,
    /// Nanoseconds since the arrival before.
    pub gap_ns: u64,
    /// Number of tokens, at least 1.
    pub tokens: u32,
}

/// Stamp and number of the first tokens; none where no token came or none was counted.
///
/// A chunk with text holds at least one token, even where the server's running count lags behind.
#[must_use]
pub fn first(observation: &Observation) -> Option<(u64, u32)> {
    if observation.token_source == TokenSource::None {
        return None;
    }
    let t_ns = observation.first_token_ns?;
    let chunks = observation.chunks.iter().take_while(|chunk| chunk.t_ns <= t_ns);
    let tokens = chunks.last().map_or(0, |chunk| chunk.tokens);
    Some((t_ns, tokens.max(1)))
}

/// The arrivals after the first, in order; none where nothing was counted.
pub fn rest(observation: &Observation) -> impl Iterator<Item = Arrival> {
    let first = first(observation);
    let (mut before_ns, mut before) = first.unwrap_or_default();
    let chunks = if first.is_some() { &observation.chunks[..] } else { &[] };
    let reads = chunks.chunk_by(|chunk, next| chunk.t_ns == next.t_ns).filter_map(<[_]>::last);
    reads.filter_map(move |chunk| {
        if chunk.t_ns <= before_ns || chunk.tokens <= before {
            return None;
        }
        let arrival = Arrival { t_ns: chunk.t_ns, gap_ns: chunk.t_ns - before_ns, tokens: chunk.tokens - before };
        (before_ns, before) = (chunk.t_ns, chunk.tokens);
        Some(arrival)
    })
}
