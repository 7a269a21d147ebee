//! The order in which two sides are measured, so that a drift of the machine affects both alike.

use super::comparison::Side;

#[cfg(test)]
mod tests;

/// The order for `n` boots of each side: blocks of baseline, candidate, candidate, baseline or the reverse, as the seed has it, and a pair
/// at the end where `n` is odd. A drift that is a straight line cancels in every block; over a single pair it cannot.
#[must_use]
pub fn order(n: u32, seed: u64) -> Vec<Side> {
    let mut chance = SplitMix(seed);
    let mut order = Vec::new();
    for _ in 0..n / 2 {
        let (one, other) = chance.sides();
        order.extend([one, other, other, one]);
    }
    if !n.is_multiple_of(2) {
        let (one, other) = chance.sides();
        order.extend([one, other]);
    }
    order
}

/// Whether a straight drift cancels in an order as well as it can: both sides appear equally often, at least once, and the sums of their
/// places are the same, or one apart where the number of boots of a side is odd.
#[must_use]
pub fn is_balanced(order: &[Side]) -> bool {
    let (mut count, mut places) = (0_i64, 0_i64);
    for (place, side) in (0_i64..).zip(order) {
        let sign = if *side == Side::Baseline { 1 } else { -1 };
        count += sign;
        places += sign * place;
    }
    let odd = !order.len().is_multiple_of(4);
    !order.is_empty() && count == 0 && places.abs() <= i64::from(odd)
}

/// `SplitMix64`; Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014.
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    /// The next 64 random bits.
    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Both sides in a random order.
    fn sides(&mut self) -> (Side, Side) {
        if self.word() >> 63 == 0 { (Side::Baseline, Side::Candidate) } else { (Side::Candidate, Side::Baseline) }
    }
}
