//! What each parser is held to for any bytes whatever: one function for each fuzz target, which panics where that does not hold.
//!
//! The first bytes of an input choose what is done with the rest, so that a corpus holds the choices too.

pub mod answer;
pub mod imported;
pub mod recipe;
pub mod record;
pub mod response;
pub mod sse;

/// Cuts bytes into reads whose sizes follow from `seed`: the low three bits say how large they get, the others where they begin.
fn reads(seed: u8, bytes: &[u8]) -> Vec<&[u8]> {
    let most = 1u32 << (1 + (seed & 7));
    let mut state = u32::from(seed) + 1;
    let (mut reads, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // A read without bytes is allowed too.
        let size = ((state >> 16) % most) as usize;
        let (read, after) = rest.split_at(size.min(rest.len()));
        reads.push(read);
        rest = after;
    }
    reads
}
