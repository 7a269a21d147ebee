//! The prefix cache against a list.

use proptest::prelude::*;

use super::{Place, PrefixCache, block_hashes};

#[test]
fn block_hash_depends_on_its_tokens_and_all_before() {
    let hashes = |tokens: &[u64]| block_hashes(tokens.iter().copied(), 2).to_vec();
    assert!(hashes(&[1]).is_empty());
    assert_eq!(hashes(&[1, 2, 3]), hashes(&[1, 2]), "a block that is not full has none");
    let (one, other) = (hashes(&[1, 2, 3, 4]), hashes(&[0, 2, 3, 4]));
    assert_eq!(one[..1], hashes(&[1, 2]));
    assert!(one[0] != other[0] && one[1] != other[1], "the same block behind another one");
    assert_ne!(one[0], one[1]);
    assert_eq!(block_hashes([7, 8], 0).len(), 2, "of no tokens is as of one");
}

/// A cache that is a list: each block's hash and holders, in the order in which they were last left.
#[derive(Default)]
struct ListCache(Vec<(u64, u32)>);

impl ListCache {
    fn position(&self, hash: u64) -> Option<usize> {
        self.0.iter().position(|one| one.0 == hash)
    }

    fn leave(&mut self, hash: u64) {
        let (hash, holders) = self.0.remove(self.position(hash).unwrap());
        self.0.push((hash, holders - 1));
    }

    fn evict(&mut self) -> bool {
        let oldest = self.0.iter().position(|one| one.1 == 0);
        oldest.map(|index| self.0.remove(index)).is_some()
    }
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    /// Holds a block, adds it if it is not there.
    Hold(u64),
    /// Leaves one of those held.
    Leave(prop::sample::Index),
    Evict,
}

proptest! {
    #[test]
    fn prefix_cache_agrees_with_a_list(operations in prop::collection::vec(prop_oneof![
        3 => (0..12_u64).prop_map(Operation::Hold),
        3 => any::<prop::sample::Index>().prop_map(Operation::Leave),
        1 => Just(Operation::Evict),
    ], 1..200)) {
        let (mut cache, mut list) = (PrefixCache::default(), ListCache::default());
        let mut held: Vec<(u64, Place)> = Vec::new();
        for operation in operations {
            match operation {
                Operation::Hold(hash) => {
                    let known = list.position(hash).map(|index| list.0[index].1 == 0);
                    prop_assert_eq!(cache.is_idle(hash), known);
                    let place = if let Some((place, was_idle)) = cache.hold(hash) {
                        prop_assert_eq!(Some(was_idle), known);
                        let index = list.position(hash).unwrap();
                        list.0[index].1 += 1;
                        place
                    } else {
                        prop_assert_eq!(known, None);
                        list.0.push((hash, 1));
                        cache.add(hash).unwrap()
                    };
                    prop_assert_eq!(cache.add(hash), None, "a second one with the same text is not kept");
                    held.push((hash, place));
                }
                Operation::Leave(which) if !held.is_empty() => {
                    let (hash, place) = held.swap_remove(which.index(held.len()));
                    list.leave(hash);
                    prop_assert_eq!(cache.leave(place), list.0.last().unwrap().1 == 0);
                }
                Operation::Leave(_) => {}
                Operation::Evict => prop_assert_eq!(cache.evict(), list.evict()),
            }
            prop_assert_eq!(cache.idle(), list.0.iter().filter(|one| one.1 == 0).count());
            for (hash, place) in &held {
                prop_assert_eq!(cache.holders(*place), list.0[list.position(*hash).unwrap()].1);
            }
        }
    }
}
