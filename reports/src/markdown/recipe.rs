//! The recipe by the keys of its file.

use record::{
    Recipe,
    recipe::{Container, Mount, PrefixCache, Ulimit},
};

use super::text::{Table, code, command_line};
use crate::words;

/// A row for each key that has a value. Secrets are names of variables; their values are in no record.
pub(super) fn table(recipe: &Recipe) -> String {
    let mut table = Table::new(&["Key", "Value"], 2);
    for (key, value) in rows(recipe).into_iter().filter(|(_, value)| !value.is_empty()) {
        table.row([code(&key), code(&value)]);
    }
    table.markdown().to_owned()
}

type Row = (String, String);

fn row(key: &str, value: impl Into<String>) -> Row {
    (key.to_owned(), value.into())
}

fn rows(recipe: &Recipe) -> Vec<Row> {
    let mut rows = vec![
        row("name", &recipe.name),
        row("engine", recipe.engine.as_str()),
        row("dialect", recipe.dialect.as_str()),
        row("description", &recipe.description),
        row("model.id", &recipe.model.id),
        row("model.source", &recipe.model.source),
        row("model.revision", &recipe.model.revision),
        row("model.tokenizer", recipe.model.tokenizer.as_deref().unwrap_or_default()),
        row("model.max_context", number(recipe.model.max_context)),
    ];
    if let Some(one) = &recipe.container {
        rows.extend(container(one));
    }
    if let Some(process) = &recipe.process {
        rows.push(row("process.command", command_line(&process.command)));
        rows.extend(process.env.iter().map(|(name, value)| (format!("process.env.{name}"), value.clone())));
    }
    if let Some(attach) = &recipe.attach {
        rows.push(row("attach.url", &attach.url));
        rows.push(row("attach.api_key_env", attach.api_key_env.as_deref().unwrap_or_default()));
    }
    if recipe.prefix_cache != PrefixCache::default() {
        rows.push(row("prefix_cache", words::prefix_cache(recipe.prefix_cache)));
    }
    rows.extend([
        row("metrics_path", recipe.metrics_path.as_deref().unwrap_or_default()),
        row("ready.timeout_s", recipe.ready.timeout_s.to_string()),
        row("limits.max_concurrent", number(recipe.limits.max_concurrent)),
        row("limits.request_timeout_s", number(recipe.limits.request_timeout_s)),
        row("limits.idle_timeout_s", number(recipe.limits.idle_timeout_s)),
        row("limits.memory_gib", number(recipe.limits.memory_gib)),
        row("secrets", recipe.secrets.join(", ")),
    ]);
    rows
}

fn container(container: &Container) -> Vec<Row> {
    let entrypoint =
        container.entrypoint.as_ref().map(|words| if words.is_empty() { "none".to_owned() } else { command_line(words) });
    let mut rows = vec![
        row("container.image", &container.image),
        row("container.digest", container.digest.as_deref().unwrap_or_default()),
        row("container.platform", container.platform.as_deref().unwrap_or_default()),
        row("container.entrypoint", entrypoint.unwrap_or_default()),
        row("container.command", command_line(&container.command)),
    ];
    rows.extend(container.env.iter().map(|(name, value)| (format!("container.env.{name}"), value.clone())));
    rows.extend(container.mounts.iter().map(|one| row("container.mounts", mount(one))));
    rows.push(row("container.port", container.port.to_string()));
    if container.host_port != 0 {
        rows.push(row("container.host_port", container.host_port.to_string()));
    }
    rows.extend([
        row("container.gpus", words::gpus(container.gpus)),
        row("container.shm_mib", number(container.shm_mib)),
        row("container.ipc", words::ipc(container.ipc)),
    ]);
    rows.extend(container.ulimits.iter().map(|(name, limit)| (format!("container.ulimits.{name}"), ulimit(*limit))));
    rows.extend([
        row("container.memory_limit_mib", number(container.memory_limit_mib)),
        row("container.stop_signal", words::stop_signal(container.stop_signal)),
        row("container.stop_grace_s", container.stop_grace_s.to_string()),
    ]);
    rows
}

fn mount(mount: &Mount) -> String {
    let mode = if mount.writable { "writable" } else { "read-only" };
    format!("{} at {}, {mode}", mount.source, mount.target)
}

fn ulimit(limit: Ulimit) -> String {
    let [soft, hard] = [limit.soft, limit.hard].map(|one| if one == -1 { "unlimited".to_owned() } else { one.to_string() });
    if soft == hard { soft } else { format!("{soft}, at most {hard}") }
}

fn number(value: Option<u32>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
