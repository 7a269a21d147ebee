//! The memory for keys and values, in blocks as vLLM pages it: how many each sequence holds, and which are shared.

use super::{
    Params,
    prefix::{Place, PrefixCache},
};

/// The KV blocks of one server: held by sequences, or kept for reuse.
#[derive(Debug)]
pub(super) struct Memory {
    block_tokens: u32,
    blocks: u32,
    /// Blocks that are held; one that several share counts once.
    used: u32,
    /// None if nothing is found again.
    cache: Option<PrefixCache>,
}

/// The KV blocks that one sequence holds.
#[derive(Debug, Default)]
pub(super) struct HeldBlocks {
    blocks: u32,
    /// Its first blocks, as far as their text is known: where each is in the prefix cache, or none if it is a copy of what was there
    /// already.
    known: Vec<Option<Place>>,
}

/// The beginning of a text that is in the prefix cache.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CachedPrefix {
    blocks: u32,
    /// How many of these have no holder.
    idle: u32,
}

impl Memory {
    pub(super) fn new(params: &Params) -> Self {
        let cache = params.prefix_cache.then(PrefixCache::default);
        Self { block_tokens: params.block_tokens, blocks: params.kv_blocks(), used: 0, cache }
    }

    /// Blocks that are held.
    pub(super) fn used(&self) -> u32 {
        self.used
    }

    /// Whether blocks are found again.
    pub(super) fn caches(&self) -> bool {
        self.cache.is_some()
    }

    /// Blocks that a sequence lacks to hold so many tokens.
    pub(super) fn blocks_lacking(&self, held: &HeldBlocks, tokens: u32) -> u32 {
        let room_tokens = held.blocks * self.block_tokens;
        if tokens <= room_tokens { 0 } else { (tokens - room_tokens).div_ceil(self.block_tokens) }
    }

    /// Whether so many more blocks can be held.
    pub(super) fn can_hold(&self, more: u32) -> bool {
        u64::from(self.used) + u64::from(more) <= u64::from(self.blocks)
    }

    /// How much of a text's beginning is there, in full blocks of no more than `tokens` together.
    pub(super) fn find(&self, text: &[u64], tokens: u32) -> CachedPrefix {
        let mut found = CachedPrefix::default();
        let Some(cache) = &self.cache else { return found };
        let most = (tokens / self.block_tokens) as usize;
        for is_idle in text.iter().take(most).map_while(|&hash| cache.is_idle(hash)) {
            found.blocks += 1;
            found.idle += u32::from(is_idle);
        }
        found
    }

    pub(super) fn prefix_tokens(&self, found: CachedPrefix) -> u32 {
        found.blocks * self.block_tokens
    }

    /// Blocks that become held when a sequence of so many tokens takes what was found and the rest anew.
    pub(super) fn blocks_needed(&self, found: CachedPrefix, tokens: u32) -> u32 {
        tokens.div_ceil(self.block_tokens).saturating_sub(found.blocks) + found.idle
    }

    /// Takes what was found of a text, and new blocks for the rest of so many tokens.
    pub(super) fn take(&mut self, text: &[u64], found: CachedPrefix, tokens: u32) -> HeldBlocks {
        let mut held = HeldBlocks::default();
        if let Some(cache) = &mut self.cache {
            for (place, was_idle) in text.iter().take(found.blocks as usize).map_while(|&hash| cache.hold(hash)) {
                held.blocks += 1;
                held.known.push(Some(place));
                self.used += u32::from(was_idle);
            }
        }
        self.grow(&mut held, tokens);
        held
    }

    /// Takes what a sequence lacks to hold so many tokens. The caller knows that it is there.
    pub(super) fn grow(&mut self, held: &mut HeldBlocks, tokens: u32) {
        let more = self.blocks_lacking(held, tokens);
        if more == 0 {
            return;
        }
        held.blocks += more;
        self.used += more;
        debug_assert!(self.used <= self.blocks, "{} blocks of {}", self.used, self.blocks);
        if let Some(cache) = &mut self.cache {
            // What was never written or cannot be found goes before what can.
            while self.used as usize + cache.idle() > self.blocks as usize && cache.evict() {}
        }
    }

    /// Lets the blocks of a text be found that its first `tokens` fill.
    pub(super) fn learn(&mut self, held: &mut HeldBlocks, text: &[u64], tokens: u32) {
        let Some(cache) = &mut self.cache else { return };
        while let Some(&hash) = text.get(held.known.len())
            && (held.known.len() as u64 + 1) * u64::from(self.block_tokens) <= u64::from(tokens)
        {
            held.known.push(cache.add(hash));
        }
    }

    /// Gives back all that a sequence holds. The end of a text is left first, so that its beginning, which more texts have, stays longer.
    pub(super) fn release(&mut self, held: &mut HeldBlocks) {
        let HeldBlocks { blocks, known } = std::mem::take(held);
        let mut kept = 0;
        if let Some(cache) = &mut self.cache {
            for place in known.into_iter().rev().flatten() {
                // Another holder keeps it.
                kept += u32::from(!cache.leave(place));
            }
        }
        self.used -= blocks - kept;
    }

    /// Tokens at the beginning of a sequence that so many sequences, which are all there are, have in common.
    pub(super) fn common_tokens(&self, held: &HeldBlocks, sequences: usize) -> u32 {
        let Some(cache) = &self.cache else { return 0 };
        let shared = held.known.iter().map_while(|place| *place).take_while(|&place| cache.holders(place) as usize == sequences);
        u32::try_from(shared.count()).unwrap_or(0) * self.block_tokens
    }

    /// Evicts all blocks without holders.
    pub(super) fn forget(&mut self) {
        if let Some(cache) = &mut self.cache {
            while cache.evict() {}
        }
    }
}

#[cfg(test)]
impl Memory {
    /// Compares its counts with what the sequences hold.
    pub(super) fn audit<'a>(&self, holders: impl Iterator<Item = &'a HeldBlocks>) {
        let mut places = std::collections::BTreeMap::new();
        let mut own = 0;
        for held in holders {
            assert!(held.known.len() <= held.blocks as usize);
            own += held.blocks as usize - held.known.iter().flatten().count();
            for place in held.known.iter().flatten() {
                *places.entry(*place).or_insert(0) += 1;
            }
        }
        let idle = self.cache.as_ref().map_or(0, PrefixCache::idle);
        assert_eq!(self.used as usize, own + places.len(), "blocks in use are those that are held");
        assert!(self.used as usize + idle <= self.blocks as usize, "{} and {idle} of {}", self.used, self.blocks);
        for (place, holders) in places {
            assert_eq!(self.cache.as_ref().unwrap().holders(place), holders);
        }
    }
}

#[cfg(test)]
impl HeldBlocks {
    pub(super) fn blocks(&self) -> u32 {
        self.blocks
    }
}
