//! Seeds of trials.

use crate::rng::Rng;

/// The seed of a trial: the run's seed, the cell's name and the trial's number decide it, so that two engines measured with the same
/// run seed are sent the same plans, pair by pair, whatever else the runs hold.
#[must_use]
pub fn trial_seed(run_seed: u64, cell: &str, trial: u32) -> u64 {
    Rng::new(&format!("trial/{cell}/{trial}"), run_seed).next_u64()
}

#[cfg(test)]
mod tests {
    use super::trial_seed;

    #[test]
    fn every_part_counts() {
        let one = trial_seed(1, "chat/c1", 0);
        assert_eq!(one, trial_seed(1, "chat/c1", 0));
        for other in [trial_seed(2, "chat/c1", 0), trial_seed(1, "chat/c5", 0), trial_seed(1, "chat/c1", 1)] {
            assert_ne!(one, other);
        }
    }
}
