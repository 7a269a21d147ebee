//! What was measured and how to do it again: recipe, machine, boots, method, command.

use record::{Record, cores::format_core_list};

use super::{
    Page,
    front_matter::harness,
    identity, recipe,
    text::{Table, code, command_block, command_line, sparse_table},
};
use crate::{
    identity::NOT_KNOWN,
    number::{Unit, figure},
};

/// How every figure came about; the definitions are in the code and the documentation of the suite.
const METHOD: &str = "\
- Times are monotonic stamps of the bytes as they were read; TTFT counts from the send in a closed loop and from the scheduled time in an open one, and a failed request stays in the tail as ∞.
- A chunk is not a token: rates come from token counts, percentiles are of type 7, and tok/s in the steady state count only while at least 95 % of the streams are in flight.
- The statistical unit is the trial, never the request: every interval is a two-sided 90 % interval of Student's t over trials. Where several boots have several trials it is over boots, each the geometric mean of its trials.
- An interval over the trials of a single boot does not contain the spread from boot to boot.
";

pub(super) fn write(page: &mut Page, record: &Record) {
    let header = &record.header;
    page.push("## Recipe");
    page.push(&recipe::table(&header.recipe));
    page.push("## Machine");
    page.push(&machine(record));
    identity::write(page, record);
    page.push("## Boots");
    page.push(&boots(record));
    if let Some(means) = boot_columns(record) {
        page.push(&means);
    }
    let stop = record.end.as_ref().and_then(|end| end.engine_stop.as_deref());
    page.push(&format!("How the engine stopped: {}.", stop.map_or(NOT_KNOWN.to_owned(), code)));
    page.push("## Method");
    page.push(METHOD);
    page.push("## Reproduce");
    let harness = harness(&header.harness_version, header.harness_commit.as_deref());
    page.push(&format!("Harness {harness}, record layout {}:", header.schema_version));
    page.push(&command_block(&header.command));
    let hashes = header.workload_hashes.iter().map(|(workload, hash)| format!("- {}: {}\n", code(workload), code(hash)));
    let hashes: String = hashes.collect();
    if !hashes.is_empty() {
        page.push("Hashes of the workloads:");
        page.push(&hashes);
    }
}

fn machine(record: &Record) -> String {
    let machine = &record.header.machine;
    let mut table = Table::new(&["", ""], 2);
    let memory = machine.memory_bytes.map(|bytes| format!("{} GiB", figure(bytes as f64 / f64::from(1 << 30), Unit::Plain)));
    let rows = [
        ("Launch", Some(record.header.launch.as_str().to_owned())),
        ("Name", Some(code(&machine.name))),
        ("Architecture", Some(code(&machine.arch))),
        ("Processors", machine.cpus.map(|cpus| cpus.to_string())),
        ("Memory", memory),
        ("Kernel", machine.kernel.as_deref().map(code)),
        ("GPU", machine.gpu_and_driver().as_deref().map(code)),
    ];
    for (name, value) in rows {
        table.row([name.to_owned(), value.unwrap_or_else(|| NOT_KNOWN.to_owned())]);
    }
    if let Some(cores) = &record.header.cores {
        let engine = if cores.engine.is_empty() { NOT_KNOWN.to_owned() } else { format_core_list(&cores.engine) };
        table.row(["Client's own processor".to_owned(), format!("{}; the engine's: {engine}", cores.client)]);
    }
    table.markdown().to_owned()
}

fn boots(record: &Record) -> String {
    if record.boots.is_empty() {
        return "The engine never became ready.".to_owned();
    }
    let rows = record.boots.iter().map(|boot| {
        vec![
            Some(boot.boot.to_string()),
            boot.healthy_ns.map(time),
            Some(boot.ready_ns.map_or("-".to_owned(), time)),
            boot.disk_read_bytes.map(bytes),
            Some(boot.engine_version.as_deref().map_or(NOT_KNOWN.to_owned(), code)),
            Some(code(&boot.sanity)),
            Some(code(&command_line(&boot.command))),
        ]
    });
    let heads = ["Boot", "Healthy after", "Ready after", "Read from disks", "Engine version", "Sanity check", "Command"];
    sparse_table(&heads, heads.len(), &rows.collect::<Vec<_>>())
}

/// What the columns mean that not every record has.
fn boot_columns(record: &Record) -> Option<String> {
    let is_healthy = record.boots.iter().any(|boot| boot.healthy_ns.is_some());
    let healthy = is_healthy.then_some("healthy when its own health endpoint answered, ready when it had answered with a token");
    let read = record.boots.iter().any(|boot| boot.disk_read_bytes.is_some());
    let read = read.then_some(
        "the disks are those of the whole machine, from the start until ready: a first boot may read the weights from them, a later one \
         may find them in memory",
    );
    let means: Vec<&str> = healthy.into_iter().chain(read).collect();
    (!means.is_empty()).then(|| format!("Times count from the start of the engine: {}.", means.join("; ")))
}

fn time(ns: u64) -> String {
    figure(ns as f64, Unit::Time)
}

/// Bytes as GiB or MiB, by their size.
fn bytes(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1024.0 { format!("{} MiB", figure(mib, Unit::Plain)) } else { format!("{} GiB", figure(mib / 1024.0, Unit::Plain)) }
}
