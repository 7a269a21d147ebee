//! The canonical suite, as the harness asks for it.

use harness::suite::{BootSizing, Probe, Suite, SuiteError};
use record::{Cell, Length, Load, Plan, PrefixReuse};
use workloads::{
    PromptSizing, RecordedLengths, Speeds, TableError, TokenTable, context_tokens, corpus, estimate::trial_s, planning, seed,
};

/// Bytes that a token is taken for where nothing can count; the usage that comes back then sets the scale.
const BYTES_PER_TOKEN: f64 = 4.0;

/// The suite of nine workloads, with the inputs that its plans need.
pub struct Canonical {
    /// Lengths for `sharegpt`.
    pub recorded: RecordedLengths,
    /// The assumed speeds of a Spark, for the estimate of the remaining time.
    pub speeds: Speeds,
}

impl Canonical {
    fn prompt_sizing(sized: &BootSizing<'_>) -> Result<PromptSizing, SuiteError> {
        Ok(PromptSizing {
            table: table(sized.counts).map_err(SuiteError::counts)?,
            template_tokens: sized.sizing.template_tokens,
            message_tokens: sized.sizing.message_tokens,
            scale: sized.sizing.scale,
        })
    }
}

fn table(counts: Option<&[u32]>) -> Result<TokenTable, TableError> {
    counts.map_or_else(|| TokenTable::uniform(BYTES_PER_TOKEN), TokenTable::from_counts)
}

impl Suite for Canonical {
    fn units(&self) -> &[&'static str] {
        corpus::units()
    }

    fn probe(&self, counts: Option<&[u32]>, tokens: u32, seed: u64) -> Result<Probe, SuiteError> {
        let sizing =
            PromptSizing { table: table(counts).map_err(SuiteError::counts)?, template_tokens: 0, message_tokens: 0, scale: 1.0 };
        let plan = planning::plan(&probe_cell(tokens), seed, &sizing, &self.recorded).map_err(SuiteError::plan)?;
        let empty = || SuiteError::EmptyProbe { tokens };
        let request = plan.requests.into_iter().next().ok_or_else(empty)?;
        let message = request.messages.into_iter().next().ok_or_else(empty)?;
        Ok(Probe { message, own_tokens: f64::from(request.prompt_tokens) })
    }

    fn boot_order(&self, run_seed: u64, boot: u32, cells: &[Cell]) -> Vec<usize> {
        let workloads: Vec<_> = cells.iter().map(|cell| cell.workload.as_str()).collect();
        seed::boot_order(run_seed, boot, &workloads)
    }

    fn trial_seed(&self, run_seed: u64, cell: &Cell, trial: u32) -> u64 {
        seed::trial_seed(run_seed, &cell.name(), trial)
    }

    fn plan(&self, cell: &Cell, seed: u64, sized: &BootSizing<'_>) -> Result<Plan, SuiteError> {
        let plan = planning::plan(cell, seed, &Self::prompt_sizing(sized)?, &self.recorded).map_err(SuiteError::plan)?;
        planning::check(&plan).map_err(SuiteError::plan)?;
        Ok(plan)
    }

    fn warm_up(&self, cell: &Cell, seed: u64, sized: &BootSizing<'_>) -> Result<Plan, SuiteError> {
        planning::warm_up(cell, seed, &Self::prompt_sizing(sized)?, &self.recorded).map_err(SuiteError::plan)
    }

    fn context_tokens(&self, cell: &Cell) -> u32 {
        context_tokens(cell)
    }

    fn estimate_s(&self, cell: &Cell) -> f64 {
        trial_s(cell, &self.speeds)
    }
}

/// A cell of one short request, for a probe.
fn probe_cell(tokens: u32) -> Cell {
    Cell {
        // Any workload that the planner knows: it lends the instruction.
        workload: "chat".to_owned(),
        workload_hash: String::new(),
        point: format!("p{tokens}"),
        load: Load::Closed { streams: 1, requests_per_stream: 1 },
        prompt_tokens: Length::Fixed { tokens },
        output_tokens: Length::Fixed { tokens: 1 },
        prefix_reuse: PrefixReuse::Forbidden,
        structured: false,
        slo: None,
        comparable: false,
    }
}
