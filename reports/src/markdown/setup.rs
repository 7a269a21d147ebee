//! What was measured and how to do it again: machine, engine, recipe, boots, command.

use minijinja::{Value, context};
use record::{Record, cores::format_core_list};

use super::{
    front_matter::harness,
    identity, recipe,
    text::{Table, code, command_block, command_line, sparse_table},
};
use crate::{
    identity::NOT_KNOWN,
    number::{Unit, figure},
};

pub(super) fn facts(record: &Record) -> Value {
    let header = &record.header;
    let stop = record.end.as_ref().and_then(|end| end.engine_stop.as_deref());
    let hashes = header.workload_hashes.iter().map(|(workload, hash)| format!("{}: {}", code(workload), code(hash)));
    context! {
        machine_table => machine(record) + &identity::rows(record),
        boot_differences => identity::boot_differences(record),
        backends => identity::backends(&record.boots),
        recipe_table => recipe::table(&header.recipe),
        boots_table => (!record.boots.is_empty()).then(|| boots(record)),
        has_health => record.boots.iter().any(|boot| boot.healthy_ns.is_some()),
        has_disk => record.boots.iter().any(|boot| boot.disk_read_bytes.is_some()),
        engine_stop => stop.map_or(NOT_KNOWN.to_owned(), code),
        harness => harness(&header.harness_version, header.harness_commit.as_deref()),
        schema_version => header.schema_version,
        command => command_block(&header.command),
        hashes => hashes.collect::<Vec<_>>(),
    }
}

/// A row for each fact of the machine that is known.
fn machine(record: &Record) -> String {
    let machine = &record.header.machine;
    let mut table = Table::new(&["Fact", "Value"], 2);
    let memory = machine.memory_bytes.map(|bytes| format!("{} GiB", figure(bytes as f64 / f64::from(1 << 30), Unit::Plain)));
    let rows = [
        ("Launch", Some(record.header.launch.as_str().to_owned())),
        ("Name", Some(code(&machine.name))),
        ("Architecture", Some(code(&machine.arch))),
        ("Processors", machine.cpus.map(|cpus| cpus.to_string())),
        ("Memory", memory),
        ("Kernel", machine.kernel.as_deref().map(code)),
        ("GPU and driver", machine.gpu_and_driver().as_deref().map(code)),
    ];
    for (name, value) in rows.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        table.row([name.to_owned(), value]);
    }
    if let Some(cores) = &record.header.cores {
        let engine = if cores.engine.is_empty() { NOT_KNOWN.to_owned() } else { format_core_list(&cores.engine) };
        table.row(["Client's own processor".to_owned(), format!("{}; the engine's: {engine}", cores.client)]);
    }
    table.markdown().to_owned()
}

fn boots(record: &Record) -> String {
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

fn time(ns: u64) -> String {
    figure(ns as f64, Unit::Time)
}

/// Bytes as GiB or MiB, by their size.
fn bytes(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1024.0 { format!("{} MiB", figure(mib, Unit::Plain)) } else { format!("{} GiB", figure(mib / 1024.0, Unit::Plain)) }
}
