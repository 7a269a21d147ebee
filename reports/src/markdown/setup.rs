//! What was measured and how to do it again: recipe, machine, boots, method, command.

use record::{Recipe, Record};

use super::{
    Page,
    text::{Table, code, command_block, command_line},
};
use crate::number::{Unit, figure};

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
    page.push(&recipe(&header.recipe));
    page.push("## Machine");
    page.push(&machine(record));
    page.push("## Boots");
    page.push(&boots(record));
    let stop = record.end.as_ref().and_then(|end| end.engine_stop.as_deref());
    page.push(&format!("How the engine stopped: {}.", stop.map_or("not known".to_owned(), code)));
    page.push("## Method");
    page.push(METHOD);
    page.push("## Reproduce");
    let commit = header.harness_commit.as_deref().map(|commit| format!(" at commit {}", code(commit)));
    page.push(&format!(
        "Harness {}{}, record layout {}:",
        code(&header.harness_version),
        commit.unwrap_or_default(),
        header.schema_version
    ));
    page.push(&command_block(&header.command));
    let hashes = header.workload_hashes.iter().map(|(workload, hash)| format!("- {}: {}\n", code(workload), code(hash)));
    let hashes: String = hashes.collect();
    if !hashes.is_empty() {
        page.push("Hashes of the workloads:");
        page.push(&hashes);
    }
}

/// The recipe by the keys of its file. Secrets are names of variables; their values are in no record.
fn recipe(recipe: &Recipe) -> String {
    let mut table = Table::new(&["Key", "Value"], 2);
    let mut row = |key: &str, value: &str| {
        if !value.is_empty() {
            table.row([code(key), code(value)]);
        }
    };
    row("name", &recipe.name);
    row("engine", recipe.engine.as_str());
    row("dialect", recipe.dialect.as_str());
    row("description", &recipe.description);
    row("model.id", &recipe.model.id);
    row("model.source", &recipe.model.source);
    row("model.revision", &recipe.model.revision);
    row("model.tokenizer", recipe.model.tokenizer.as_deref().unwrap_or_default());
    row("model.max_context", &number(recipe.model.max_context));
    if let Some(process) = &recipe.process {
        row("process.command", &command_line(&process.command));
        for (name, value) in &process.env {
            row(&format!("process.env.{name}"), value);
        }
    }
    if let Some(attach) = &recipe.attach {
        row("attach.url", &attach.url);
        row("attach.api_key_env", attach.api_key_env.as_deref().unwrap_or_default());
    }
    row("ready.timeout_s", &recipe.ready.timeout_s.to_string());
    row("limits.max_concurrent", &number(recipe.limits.max_concurrent));
    row("limits.request_timeout_s", &number(recipe.limits.request_timeout_s));
    row("limits.idle_timeout_s", &number(recipe.limits.idle_timeout_s));
    row("secrets", &recipe.secrets.join(", "));
    table.markdown().to_owned()
}

fn number(value: Option<u32>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
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
        ("GPU", machine.gpu.as_deref().map(code)),
    ];
    for (name, value) in rows {
        table.row([name.to_owned(), value.unwrap_or_else(|| "not known".to_owned())]);
    }
    table.markdown().to_owned()
}

fn boots(record: &Record) -> String {
    if record.boots.is_empty() {
        return "The engine never became ready.".to_owned();
    }
    let mut table = Table::new(&["Boot", "Ready after", "Engine version", "Sanity check", "Command"], 5);
    for boot in &record.boots {
        let ready = boot.ready_ns.map_or("-".to_owned(), |ns| figure(ns as f64, Unit::Time));
        let version = boot.engine_version.as_deref().map_or("not known".to_owned(), code);
        table.row([boot.boot.to_string(), ready, version, code(&boot.sanity), code(&command_line(&boot.command))]);
    }
    table.markdown().to_owned()
}
