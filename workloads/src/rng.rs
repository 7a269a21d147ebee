//! The one source of chance: a seeded generator whose every draw is the same on every machine.
//!
//! The generator is xoshiro256** 1.0 (D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4),
//! 2021). Its 256 bits of state are the SHA-256 of a domain and the seed, so that two purposes, or two seeds that differ by one,
//! share no part of a sequence. No draw goes through the platform's mathematics: [`libm`] is the same code everywhere.

use sha2::{Digest, Sha256};

#[cfg(test)]
mod tests;

/// A generator for one purpose.
#[derive(Debug, Clone)]
pub(crate) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The generator of `domain`, a string that names what the draws are for, under `seed`.
    pub(crate) fn new(domain: &str, seed: u64) -> Self {
        let digest = Sha256::new().chain_update(domain).chain_update([0]).chain_update(seed.to_le_bytes()).finalize();
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(digest.chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        }
        Self { state }
    }

    /// 64 fair bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        let state = &mut self.state;
        let result = state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        result
    }

    /// 32 fair bits: the upper half of 64.
    pub(crate) fn next_u32(&mut self) -> u32 {
        high_half(self.next_u64())
    }

    /// A whole number below `bound`, each as likely: D. Lemire's multiplication with rejection (ACM TOMACS 29(1), 2019).
    ///
    /// `bound` is at least 1.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(bound);
            if low_half(product) >= threshold {
                return high_half(product);
            }
        }
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let bound = u32::try_from(list.len()).expect("lists are short");
        &list[self.below(bound) as usize]
    }

    /// True once in `out_of` draws.
    pub(crate) fn one_in(&mut self, out_of: u32) -> bool {
        self.below(out_of) == 0
    }

    /// A number strictly between 0 and 1: the middle of one of 2^53 equal steps.
    pub(crate) fn open_unit(&mut self) -> f64 {
        ((self.next_u64() >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A standard normal number: G. Marsaglia's polar method (SIAM Review 6(3), 1964), its second value not kept.
    pub(crate) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.open_unit() - 1.0, 2.0 * self.open_unit() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                return x * libm::sqrt(-2.0 * libm::log(square) / square);
            }
        }
    }

    /// Puts a list into a random order (Fisher and Yates, from the end).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let bound = u32::try_from(last + 1).expect("lists are short");
            list.swap(last, self.below(bound) as usize);
        }
    }
}

fn high_half(word: u64) -> u32 {
    u32::try_from(word >> 32).unwrap_or(u32::MAX)
}

fn low_half(word: u64) -> u32 {
    u32::try_from(word & 0xffff_ffff).unwrap_or(u32::MAX)
}
