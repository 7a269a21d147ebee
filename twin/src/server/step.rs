//! A step of the server: which sequences are in it, its cost, and the tokens it yields.

use super::{FinishedRequest, Phase, Server, params::slow_down};

/// What the decoding sequences need in a step.
#[derive(Debug, Clone, Copy, Default)]
struct DecodeDemand {
    sequences: u32,
    /// Blocks that they may come to need.
    blocks: u32,
}

/// A cost by a step's tokens, worked out once for each number of them: a run has millions of steps and few numbers.
#[derive(Debug, Default)]
pub(super) struct Curve(Vec<Option<u64>>);

impl Curve {
    fn at(&mut self, tokens: u32, cost_ns: impl FnOnce(u32) -> u64) -> u64 {
        let place = tokens as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, None);
        }
        *self.0[place].get_or_insert_with(|| cost_ns(tokens))
    }
}

impl Server {
    pub(super) fn start_step(&mut self, start_ns: u64) {
        let (decoding, preempted) = self.preempt_until_all_fit();
        let checked = decoding.sequences * self.params.tokens_per_decode();
        // The parameters leave a token for prefill whatever decodes.
        let mut left = self.params.max_step_tokens.saturating_sub(checked);
        let caches = self.memory.caches();
        for sequence in &mut self.running {
            sequence.prefill(&mut left);
            if caches {
                sequence.learn(&mut self.memory);
            }
        }
        // What was just put back must not come in again at once, at the cost of a second prefill.
        let held_until_ns = if preempted { None } else { self.admit(start_ns, left, decoding) };
        self.pass_over();
        if self.running.is_empty() {
            self.last_start_ns = None;
            self.phase = held_until_ns.map_or(Phase::Idle, |start_ns| Phase::Due { start_ns });
            if let (Phase::Idle, Some(sound)) = (self.phase, &mut self.sound) {
                sound.clear();
            }
            return;
        }
        let cost_ns = self.step_cost_ns(decoding.sequences);
        let factor_ppm = self.pace_ppm + self.step_chance.normal_ppm(self.params.noise.step_ppm);
        let cost_ns = i128::from(cost_ns) * i128::from(factor_ppm) / 1_000_000;
        let cost_ns = u64::try_from(cost_ns).unwrap_or(u64::MAX).max(1);
        self.last_start_ns = Some(start_ns);
        self.totals.steps += 1;
        self.totals.busy_ns += cost_ns;
        self.phase = Phase::Step { end_ns: start_ns.saturating_add(cost_ns) };
    }

    /// The decoding sequences, and the blocks that they need if all drafts are accepted.
    fn decoding(&self) -> DecodeDemand {
        let most = self.params.tokens_per_decode();
        let mut decoding = DecodeDemand::default();
        for sequence in self.running.iter().filter(|sequence| sequence.decodes()) {
            decoding.sequences += 1;
            decoding.blocks +=
                self.memory.blocks_lacking(&sequence.held, sequence.context() + most.min(sequence.remaining_tokens()));
        }
        decoding
    }

    /// Preempts the last admitted sequences until every other one can grow. Gives the demand of those that decode then, and whether one
    /// was preempted.
    fn preempt_until_all_fit(&mut self) -> (DecodeDemand, bool) {
        let mut preempted = false;
        loop {
            let decoding = self.decoding();
            if self.memory.can_hold(decoding.blocks) {
                return (decoding, preempted);
            }
            let Some(mut sequence) = self.running.pop() else { return (decoding, preempted) };
            self.memory.release(&mut sequence.held);
            self.totals.lost_tokens += u64::from(sequence.rewind());
            self.waiting.push_front(sequence);
            self.totals.preemptions += 1;
            preempted = true;
        }
    }

    /// Admits from the head of the queue while there are a slot, memory and tokens of the step left. Gives the time until which the head
    /// is held back, if only that keeps it waiting.
    fn admit(&mut self, start_ns: u64, mut left: u32, decoding: DecodeDemand) -> Option<u64> {
        let formed_ns = self.formed_ns(start_ns);
        while left > 0 && self.running.len() < self.params.max_sequences as usize {
            let next = self.waiting.front()?;
            if next.queued_ns.is_some_and(|queued_ns| queued_ns > formed_ns) {
                return None;
            }
            // At least one token is computed, as the next one comes out of that.
            let found = self.memory.find(next.prompt(), next.to_compute - 1);
            // Its context and the token that comes out of the prefill, beside what the decoding sequences take in this step.
            let room_tokens = next.to_compute + 1;
            if !self.memory.can_hold(decoding.blocks + self.memory.blocks_needed(found, room_tokens)) {
                return None;
            }
            if let (Some(sound), Some(queued_ns)) = (&mut self.sound, next.queued_ns)
                && let Some(until_ns) = sound.hold_until_ns(start_ns, next.request.id, queued_ns)
            {
                return Some(until_ns);
            }
            let mut sequence = self.waiting.pop_front()?;
            let found_tokens = self.memory.prefix_tokens(found);
            if let Some(queued_ns) = sequence.queued_ns.take() {
                let waited_ns = start_ns.saturating_sub(queued_ns);
                self.totals.admitted += 1;
                self.totals.queue_ns += waited_ns;
                sequence.cached_tokens = found_tokens;
                if self.memory.caches() {
                    self.totals.prefix_query_tokens += u64::from(sequence.request.prompt_tokens);
                    self.totals.prefix_hit_tokens += u64::from(found_tokens);
                }
                if self.keeps_waits {
                    // A request admitted by the first step after its arrival did not queue: it only arrived in the middle of a step.
                    self.waits.insert(sequence.request.id, if sequence.passed_over { waited_ns } else { 0 });
                }
            }
            sequence.held = self.memory.take(sequence.prompt(), found, room_tokens);
            sequence.computed = found_tokens.max(sequence.request.cached_tokens.min(sequence.to_compute - 1));
            self.totals.reused_tokens += u64::from(sequence.computed);
            sequence.prefill(&mut left);
            sequence.learn(&mut self.memory);
            self.running.push(sequence);
        }
        None
    }

    /// When the sequences of the step that begins now were chosen: with asynchronous scheduling, when the one before it began.
    fn formed_ns(&self, start_ns: u64) -> u64 {
        // What nothing runs beside is formed when it begins.
        let beside = self.params.async_scheduling && !self.running.is_empty();
        self.last_start_ns.filter(|_| beside).unwrap_or(start_ns)
    }

    /// Notes that a step starts without the waiting sequences.
    fn pass_over(&mut self) {
        // Those before one that was so already were so too.
        for sequence in self.waiting.iter_mut().rev().take_while(|sequence| !sequence.passed_over) {
            sequence.passed_over = true;
        }
    }

    fn step_cost_ns(&mut self, decoding: u32) -> u64 {
        let params = &self.params;
        let (decode, prefill, slower) = (&params.decode, &params.prefill, &params.slower);
        let (mut context, mut tokens, mut pairs, mut shared) = (0u64, 0u32, 0u64, 0u32);
        let common = self.common_tokens();
        for sequence in &self.running {
            if sequence.decodes() {
                context += u64::from(sequence.context());
                if params.shared_prefix_once {
                    let read_once = sequence.request.cached_tokens.max(common).min(sequence.context());
                    context -= u64::from(read_once);
                    shared = shared.max(read_once);
                }
            } else {
                let (before, now) = (u64::from(sequence.computed), u64::from(sequence.in_step));
                tokens += sequence.in_step;
                pairs += now * before + now * now.saturating_sub(1) / 2;
            }
        }
        context += u64::from(shared);
        let checked = decoding * params.tokens_per_decode();
        let experts_ns = self.experts_ns.at(tokens + checked, |tokens| params.experts_ns(tokens));
        // Drafts are made for decoding sequences only.
        let draft_ns = params.speculative.filter(|_| decoding > 0).map_or(0, |speculative| speculative.draft_ns);
        let decode_ns = decode.base_ns
            + experts_ns
            + draft_ns
            + decode.per_sequence_ns * u64::from(decoding)
            + decode.per_context_token_ps * context / 1000;
        if tokens == 0 {
            return slow_down(decode_ns, slower.decode_ppm);
        }
        let ramp_ns = self.ramp_ns.at(tokens, |tokens| params.ramp_ns(tokens));
        let prefill_ns =
            prefill.base_ns + ramp_ns + u64::from(tokens) * prefill.per_token_ns + pairs * prefill.per_pair_fs / 1_000_000;
        if decoding == 0 {
            // The weights are read for the prefill alone, so that all of the step is prefill.
            return slow_down(decode_ns + prefill_ns, slower.prefill_ppm);
        }
        slow_down(decode_ns, slower.decode_ppm) + slow_down(prefill_ns, slower.prefill_ppm)
    }

    /// Tokens at the beginning of all that runs that are the same blocks of memory, and so may be read once for all.
    fn common_tokens(&self) -> u32 {
        let first = self.running.first().filter(|_| self.params.shared_prefix_once);
        first.map_or(0, |first| self.memory.common_tokens(&first.held, self.running.len()))
    }

    pub(super) fn end_step(&mut self, end_ns: u64) {
        let Self { params, running, finished, totals, memory, draft_chance, .. } = self;
        running.retain_mut(|sequence| {
            let mut tokens = 1;
            if sequence.decodes() {
                if let Some(speculative) = params.speculative {
                    tokens = (1 + speculative.accepted(draft_chance)).min(sequence.remaining_tokens());
                    totals.draft_tokens += u64::from(speculative.draft_tokens);
                    totals.accepted_tokens += u64::from(tokens - 1);
                }
                let context = sequence.context() + tokens;
                memory.grow(&mut sequence.held, context);
            } else {
                sequence.computed += sequence.in_step;
                totals.prefill_tokens += u64::from(sequence.in_step);
                if !sequence.decodes() {
                    return true;
                }
                if sequence.stamps_ns.is_empty() {
                    totals.prompt_tokens += u64::from(sequence.request.prompt_tokens);
                }
            }
            sequence.stamps_ns.extend(std::iter::repeat_n(end_ns, tokens as usize));
            totals.generation_tokens += u64::from(tokens);
            let done = sequence.remaining_tokens() == 0;
            if done {
                memory.release(&mut sequence.held);
                totals.finished += 1;
                let (id, cached_tokens) = (sequence.request.id, sequence.cached_tokens);
                finished.push(FinishedRequest { id, stamps_ns: std::mem::take(&mut sequence.stamps_ns), cached_tokens });
            }
            !done
        });
    }
}
