//! A request inside the server.

use super::{
    Submission,
    memory::{HeldBlocks, Memory},
};

/// A request, and how far it has come.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) request: Submission,
    /// When it came; none once it has left the queue, so that being put back does not count as waiting.
    pub(super) queued_ns: Option<u64>,
    /// Whether a step has started without it.
    pub(super) passed_over: bool,
    /// Tokens whose keys and values must be computed before it decodes (again).
    pub(super) to_compute: u32,
    pub(super) computed: u32,
    /// Prefill tokens in the current step.
    pub(super) in_step: u32,
    /// Its memory: room for its context and, while it prefills, the token that comes out of that.
    pub(super) held: HeldBlocks,
    pub(super) stamps_ns: Vec<u64>,
    /// Tokens of its prompt that the prefix cache had when it was first taken up.
    pub(super) cached_tokens: u32,
}

impl Sequence {
    pub(super) fn new(request: Submission, queued_ns: u64) -> Self {
        let to_compute = request.prompt_tokens;
        let stamps_ns = Vec::with_capacity(request.output_tokens as usize);
        let queued_ns = Some(queued_ns);
        let held = HeldBlocks::default();
        Self { request, queued_ns, passed_over: false, to_compute, computed: 0, in_step: 0, held, stamps_ns, cached_tokens: 0 }
    }

    pub(super) fn decodes(&self) -> bool {
        self.computed == self.to_compute
    }

    /// Tokens that it has got.
    fn generated_tokens(&self) -> u32 {
        u32::try_from(self.stamps_ns.len()).unwrap_or(u32::MAX)
    }

    /// Tokens that it lacks.
    pub(super) fn remaining_tokens(&self) -> u32 {
        self.request.output_tokens - self.generated_tokens()
    }

    /// Prompt and output so far.
    pub(super) fn context(&self) -> u32 {
        self.request.prompt_tokens + self.generated_tokens()
    }

    /// The hashes of its text's blocks; empty if the request has none.
    pub(super) fn prompt(&self) -> &[u64] {
        self.request.prompt.as_deref().unwrap_or_default()
    }

    /// Takes so much of the step as it has left to prefill.
    pub(super) fn prefill(&mut self, left: &mut u32) {
        self.in_step = (self.to_compute - self.computed).min(*left);
        *left -= self.in_step;
    }

    /// Lets others find the blocks of which the step that begins computes the last token. They may in the same step: it writes the keys
    /// and values of all its tokens in each layer before it reads them.
    pub(super) fn learn(&mut self, memory: &mut Memory) {
        let Some(prompt) = &self.request.prompt else { return };
        let computed = if self.decodes() { self.context() } else { self.computed + self.in_step };
        memory.learn(&mut self.held, prompt, computed);
    }

    /// Back to the beginning: all of the context has to be computed, less what is found of it then. Gives how many tokens were computed
    /// in vain.
    pub(super) fn rewind(&mut self) -> u32 {
        let lost = if self.decodes() { self.context() } else { self.computed };
        self.to_compute = self.context();
        self.computed = 0;
        self.in_step = 0;
        lost
    }
}
