//! Judges whether the engine had the machine to itself, and enough memory.
//!
//! Clock and power state, and other programs on the GPU, are not recorded yet and so not judged.

use record::Trial;

use super::{Reason, client::cores};
use crate::number::{Unit, figure};

#[cfg(test)]
mod tests;

/// Largest CPU time of other programs that is tolerated, in cores: an idle system uses less.
const MAX_FOREIGN_CORES: f64 = 0.25;

/// Largest CPU time of other programs that is tolerated, as a share of the machine's: the kernel counts the machine's time by sampling at each tick
/// and a process's by its clock, so the two differ by a part of both.
const MAX_FOREIGN_SHARE: f64 = 0.05;

/// Largest stolen CPU time, which a hypervisor gives to other guests, as a share of one core.
const MAX_STOLEN: f64 = 0.02;

/// Most bytes that may be read back from swap: a few are old pages of other programs, more mean that memory was full.
const MAX_SWAPPED_IN_BYTES: u64 = 16 * MIB;

const MIB: u64 = 1 << 20;

pub(super) fn judge(trial: &Trial, reasons: &mut Vec<Reason>) {
    reasons.extend(foreign_load(trial));
    reasons.extend(stolen(trial));
    reasons.extend(swapped_in(trial));
}

/// CPU time that neither the engine nor the client used. It never makes a trial invalid, since it includes the kernel's work for the engine.
fn foreign_load(trial: &Trial) -> Option<Reason> {
    let facts = &trial.facts;
    let (machine, engine) = (cores(trial, facts.machine_cpu_ns?)?, cores(trial, facts.engine_cpu_ns?)?);
    let client = cores(trial, facts.client_cpu_ns?)?;
    let foreign = machine - engine - client;
    let text = || {
        let [foreign, machine, engine, client] = [foreign, machine, engine, client].map(plain);
        format!(
            "programs beside the engine and the client used {foreign} cores ({machine} of the machine, less {engine} and {client})"
        )
    };
    let reason = || Reason::suspect("other programs kept processor cores busy", text()).with_extent(foreign, Unit::Plain);
    (foreign > MAX_FOREIGN_CORES.max(MAX_FOREIGN_SHARE * machine)).then(reason)
}

fn stolen(trial: &Trial) -> Option<Reason> {
    let stolen_ns = trial.facts.stolen_cpu_ns?;
    let share = cores(trial, stolen_ns)?;
    let text = || {
        let [share, limit] = [share, MAX_STOLEN].map(|share| figure(share, Unit::Share));
        let time = figure(stolen_ns as f64, Unit::Time);
        format!("a hypervisor gave {time} of CPU time to others, {share} of one core, above {limit}")
    };
    let reason = || Reason::suspect("a hypervisor gave CPU time to others", text()).with_extent(share, Unit::Share);
    (share > MAX_STOLEN).then(reason)
}

fn swapped_in(trial: &Trial) -> Option<Reason> {
    let bytes = trial.facts.swapped_in_bytes.filter(|bytes| *bytes > 0)?;
    let mib = |bytes: u64| plain(bytes as f64 / MIB as f64);
    let text = format!("{} MiB were read back from swap", mib(bytes));
    if bytes > MAX_SWAPPED_IN_BYTES {
        let text = format!("{text}, above {} MiB: memory was full", mib(MAX_SWAPPED_IN_BYTES));
        return Some(Reason::invalid("memory was full: pages were read back from swap", text));
    }
    Some(Reason::note("pages were read back from swap", text))
}

fn plain(value: f64) -> String {
    figure(value, Unit::Plain)
}
