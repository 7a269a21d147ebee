//! Blocks of prompts that are found again: a prefix cache as vLLM keeps it.
//!
//! A block is known by a hash of its tokens and of the block before it, so that the same hash means the same text from the beginning on.
//! A block without holders stays in the cache until its memory is needed; the one released first is evicted first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::chance::hash;

/// The hashes of a text's full blocks, each over the one before it and its own tokens. Its last block, if not full, has none.
///
/// A token may be anything that stands for it; the same text must give the same ones.
#[must_use]
pub fn block_hashes(tokens: impl IntoIterator<Item = u64>, block_tokens: u32) -> Arc<[u64]> {
    let block_words = block_tokens.max(1) as usize + 1;
    let mut words = vec![0];
    let mut hashes = Vec::new();
    for token in tokens {
        words.push(token);
        if words.len() == block_words {
            let block = hash(&words);
            hashes.push(block);
            words.clear();
            words.push(block);
        }
    }
    hashes.into()
}

/// Where a block is in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u32);

#[derive(Debug)]
struct Block {
    hash: u64,
    holders: u32,
    /// Its key among the idle blocks, if it has no holder.
    left: u64,
}

/// The blocks that can be found, held or idle.
#[derive(Debug, Default)]
pub(super) struct PrefixCache {
    places: HashMap<u64, Place>,
    blocks: Vec<Block>,
    vacant: Vec<Place>,
    /// Blocks without holders, in the order in which they were released.
    idle: BTreeMap<u64, Place>,
    leaves: u64,
}

impl PrefixCache {
    fn block(&mut self, place: Place) -> &mut Block {
        &mut self.blocks[place.0 as usize]
    }

    /// Whether a block is there, and if so whether it is idle.
    pub(super) fn is_idle(&self, hash: u64) -> Option<bool> {
        self.places.get(&hash).map(|place| self.holders(*place) == 0)
    }

    pub(super) fn holders(&self, place: Place) -> u32 {
        self.blocks[place.0 as usize].holders
    }

    /// Number of blocks without holders.
    pub(super) fn idle(&self) -> usize {
        self.idle.len()
    }

    /// Holds a block that is there. Says whether it was idle.
    pub(super) fn hold(&mut self, hash: u64) -> Option<(Place, bool)> {
        let place = *self.places.get(&hash)?;
        let block = self.block(place);
        block.holders += 1;
        let (was_idle, left) = (block.holders == 1, block.left);
        if was_idle {
            self.idle.remove(&left);
        }
        Some((place, was_idle))
    }

    /// Leaves a block that was held. Says whether it is idle now.
    pub(super) fn leave(&mut self, place: Place) -> bool {
        self.leaves += 1;
        let leaves = self.leaves;
        let block = self.block(place);
        block.holders -= 1;
        block.left = leaves;
        let is_idle = block.holders == 0;
        if is_idle {
            self.idle.insert(leaves, place);
        }
        is_idle
    }

    /// Adds a block that its first holder has; none if another one with the same text is there.
    pub(super) fn add(&mut self, hash: u64) -> Option<Place> {
        if self.places.contains_key(&hash) {
            return None;
        }
        let block = Block { hash, holders: 1, left: 0 };
        let place = if let Some(place) = self.vacant.pop() {
            *self.block(place) = block;
            place
        } else {
            self.blocks.push(block);
            // Memory has fewer blocks than that.
            Place(u32::try_from(self.blocks.len() - 1).unwrap_or(u32::MAX))
        };
        self.places.insert(hash, place);
        Some(place)
    }

    /// Gives up the idle block that was left first. False if there is none.
    pub(super) fn evict(&mut self) -> bool {
        let Some((_, place)) = self.idle.pop_first() else { return false };
        let hash = self.block(place).hash;
        self.places.remove(&hash);
        self.vacant.push(place);
        true
    }
}

#[cfg(test)]
mod tests;
