//! Seeds of trials, and the order of a boot.

use crate::rng::Rng;

/// The seed of a trial: the run's seed, the cell's name and the trial's number decide it, so that two engines measured with the same
/// run seed are sent the same plans, pair by pair, whatever else the runs hold.
#[must_use]
pub fn trial_seed(run_seed: u64, cell: &str, trial: u32) -> u64 {
    Rng::new(&format!("trial/{cell}/{trial}"), run_seed).next_u64()
}

/// The order in which a boot measures cells, as indices: workloads in a random order, and each one's cells in a random order within it.
/// Every boot has its own, so that what drifts with time (heat, a filling cache) does not fall on the same cell each time.
///
/// `workloads` names the workload of each cell.
#[must_use]
pub fn boot_order(run_seed: u64, boot: u32, workloads: &[&str]) -> Vec<usize> {
    let mut rng = Rng::new(&format!("order/{boot}"), run_seed);
    let mut names: Vec<&str> = Vec::new();
    for name in workloads {
        if !names.contains(name) {
            names.push(name);
        }
    }
    rng.shuffle(&mut names);
    let mut order = Vec::with_capacity(workloads.len());
    for name in names {
        let mut cells: Vec<usize> = (0..workloads.len()).filter(|&cell| workloads[cell] == name).collect();
        rng.shuffle(&mut cells);
        order.append(&mut cells);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::{boot_order, trial_seed};

    #[test]
    fn boot_order_holds_every_cell_once_grouped_by_workload() {
        let workloads = ["a", "a", "a", "b", "c", "c", "b"];
        let mut seen = std::collections::BTreeSet::new();
        for boot in 0..20 {
            let order = boot_order(1, boot, &workloads);
            assert_eq!(order, boot_order(1, boot, &workloads));
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..7).collect::<Vec<_>>());
            let changes = order.windows(2).filter(|pair| workloads[pair[0]] != workloads[pair[1]]).count();
            assert_eq!(changes, 2, "{order:?}");
            seen.insert(order);
        }
        assert!(seen.len() > 15, "boots have orders of their own");
        assert_ne!(boot_order(1, 0, &workloads), boot_order(2, 0, &workloads));
        assert!(boot_order(1, 0, &[]).is_empty());
    }

    #[test]
    fn trial_seed_depends_on_run_cell_and_trial() {
        let one = trial_seed(1, "chat/c1", 0);
        assert_eq!(one, trial_seed(1, "chat/c1", 0));
        for other in [trial_seed(2, "chat/c1", 0), trial_seed(1, "chat/c5", 0), trial_seed(1, "chat/c1", 1)] {
            assert_ne!(one, other);
        }
    }
}
