//! Two of numpy's generators, as far as `vllm bench serve` draws its loads from them: a published run names its seed, and so its
//! arrivals and lengths are known to the request.
//!
//! Sources: O'Neill, "PCG: A family of simple fast space-efficient statistically good algorithms", 2014; Matsumoto and Nishimura,
//! "Mersenne Twister", 1998; Lemire, "Fast random integer generation in an interval", 2019; numpy's `SeedSequence`, after O'Neill's
//! `seed_seq_fe`; Ahrens and Dieter's algorithm GS for gamma variates of a shape below 1, 1974.

#![expect(clippy::cast_possible_truncation, reason = "words are cut out of wider ones on purpose")]

/// `numpy.random.default_rng(seed)`, whole numbers of an interval.
#[derive(Debug, Clone)]
pub(super) struct DefaultRng {
    state: u128,
    increment: u128,
    spare: Option<u32>,
}

impl DefaultRng {
    pub(super) fn new(seed: u32) -> Self {
        let words = seed_words(seed);
        let wide = |high: usize| u128::from(words[high]) << 64 | u128::from(words[high + 1]);
        let mut rng = Self { state: 0, increment: wide(2) << 1 | 1, spare: None };
        rng.step();
        rng.state = rng.state.wrapping_add(wide(0));
        rng.step();
        rng
    }

    fn step(&mut self) {
        const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    fn word(&mut self) -> u32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        let word = folded.rotate_right((self.state >> 122) as u32);
        self.spare = Some((word >> 32) as u32);
        word as u32
    }

    /// `integers(low, high + 1)`.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high - low) + 1;
        let threshold = (1u64 << 32) % span;
        loop {
            let product = u64::from(self.word()) * span;
            if product & 0xFFFF_FFFF >= threshold {
                return low + (product >> 32) as u32;
            }
        }
    }
}

/// `SeedSequence(seed).generate_state(4, uint64)`.
fn seed_words(seed: u32) -> [u64; 4] {
    let mut constant = 0x43b0_d7e5_u32;
    let mut hash = |value: u32| {
        let value = value ^ constant;
        constant = constant.wrapping_mul(0x931e_8875);
        let value = value.wrapping_mul(constant);
        value ^ (value >> 16)
    };
    let mut pool = [seed, 0, 0, 0].map(&mut hash);
    for source in 0..4 {
        for to in (0..4).filter(|&to| to != source) {
            let mixed = pool[to].wrapping_mul(0xca01_f9dd).wrapping_sub(hash(pool[source]).wrapping_mul(0x4973_f715));
            pool[to] = mixed ^ (mixed >> 16);
        }
    }
    let mut constant = 0x8b51_f9dd_u32;
    let mut word = |place: usize| {
        let value = pool[place % 4] ^ constant;
        constant = constant.wrapping_mul(0x58f3_8ded);
        let value = value.wrapping_mul(constant);
        u64::from(value ^ (value >> 16))
    };
    std::array::from_fn(|place| word(2 * place) | word(2 * place + 1) << 32)
}

/// `numpy.random.seed(seed)` and `numpy.random.gamma`, the old interface.
pub(super) struct LegacyRng {
    state: Vec<u32>,
    at: usize,
}

impl LegacyRng {
    pub(super) fn new(seed: u32) -> Self {
        let next = |last: &(u32, u32)| {
            let (place, word) = (last.0 + 1, last.1);
            Some((place, 1_812_433_253_u32.wrapping_mul(word ^ (word >> 30)).wrapping_add(place)))
        };
        let state = std::iter::successors(Some((0, seed)), next).map(|(_, word)| word).take(624).collect();
        Self { state, at: 624 }
    }

    fn word(&mut self) -> u32 {
        if self.at == 624 {
            for place in 0..624 {
                let joined = (self.state[place] & 0x8000_0000) | (self.state[(place + 1) % 624] & 0x7FFF_FFFF);
                let twist = if joined & 1 == 1 { 0x9908_B0DF } else { 0 };
                self.state[place] = self.state[(place + 397) % 624] ^ (joined >> 1) ^ twist;
            }
            self.at = 0;
        }
        let mut word = self.state[self.at];
        self.at += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9D2C_5680;
        word ^= (word << 15) & 0xEFC6_0000;
        word ^ (word >> 18)
    }

    /// From 0 to below 1, in steps of `2^-53`.
    fn uniform(&mut self) -> f64 {
        let (high, low) = (self.word() >> 5, self.word() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.uniform())
    }

    /// `standard_gamma(shape)` of a shape of at most 1; larger ones are drawn by another algorithm, which no published run needs.
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        if shape >= 1.0 {
            return self.exponential();
        }
        loop {
            let (u, v) = (self.uniform(), self.exponential());
            if u <= 1.0 - shape {
                let x = libm::pow(u, 1.0 / shape);
                if x <= v {
                    return x;
                }
            } else {
                let y = -libm::log((1.0 - u) / shape);
                let x = libm::pow(1.0 - shape + shape * y, 1.0 / shape);
                if x <= v + y {
                    return x;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DefaultRng, LegacyRng};

    /// numpy 2.3: `default_rng(42).integers(400, 7601, size=5)`, then `integers(49, 951, size=3)`.
    #[test]
    fn integers_match_numpy() {
        let mut rng = DefaultRng::new(42);
        let drawn: Vec<_> = (0..8).map(|place| if place < 5 { rng.between(400, 7600) } else { rng.between(49, 950) }).collect();
        assert_eq!(drawn, NUMPY_INTEGERS);
    }

    /// numpy 2.3, after `seed(42)`: `gamma(0.7, 1)` and `gamma(1.0, 1)`, four of each.
    #[test]
    fn gammas_match_numpy() {
        let mut rng = LegacyRng::new(42);
        let drawn: Vec<_> = (0..8).map(|place| rng.gamma(if place < 4 { 0.7 } else { 1.0 })).collect();
        for (drawn, numpy) in drawn.iter().zip(NUMPY_GAMMAS) {
            assert!((drawn - numpy).abs() < 1e-12, "{drawn} {numpy}");
        }
    }

    const NUMPY_INTEGERS: [u32; 8] = [1042, 5973, 5113, 3560, 3518, 823, 126, 678];
    #[expect(clippy::unreadable_literal, reason = "as numpy prints them")]
    const NUMPY_GAMMAS: [f64; 8] = [
        0.24989261839059512,
        0.9603111887673259,
        0.07037120446797591,
        0.01715387771860942,
        0.9190821536272645,
        1.2312500617045903,
        0.020799307999138622,
        3.503557475158312,
    ];
}
