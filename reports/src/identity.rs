//! Were two engines the same? What an engine turned out to be, fact by fact, so that no two records are compared in silence whose
//! engines differ.

use std::collections::{BTreeMap, BTreeSet};

use record::{Boot, Header, Recipe, Record, recipe::Container};
use serde::Serialize;

use crate::words;

#[cfg(test)]
mod tests;

/// One fact in which two engines differ. The texts are those of recipes and servers: not to be trusted as Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is a fact of.
    pub field: String,
    /// What it is on the left; of a list, only what the right one lacks.
    pub left: String,
    /// What it is on the right, likewise.
    pub right: String,
}

/// What stands for a fact that a record does not hold. It differs from every value: nobody knows whether it was the same.
pub const NOT_KNOWN: &str = "not known";

/// What stands for a setting that a recipe leaves to the engine or the daemon.
const NOT_SET: &str = "not set";

/// In what the engines of two records differ, over all boots of each. Not compared: the harness, the suite, the host's port, and the
/// tag of an image, whose id says what it was.
#[must_use]
pub fn differences(left: &Record, right: &Record) -> Vec<Difference> {
    let sides = [left, right];
    let asked = ASKED.iter().filter_map(|fact| {
        let [left, right] = sides.map(|record| known((fact.of)(&record.header)));
        fact.difference(&left, &right)
    });
    let came = came(sides.map(|record| (&record.header.recipe, &record.boots[..])));
    let [left_env, right_env] = sides.map(|record| environment(&record.header.recipe));
    let names: BTreeSet<&String> = left_env.keys().chain(right_env.keys()).collect();
    let env = names.into_iter().filter_map(|name| {
        let [left, right] = [&left_env, &right_env].map(|env| env.get(name).map_or(NOT_SET, String::as_str).to_owned());
        (left != right).then(|| Difference { field: format!("environment {name}"), left, right })
    });
    asked.chain(came).chain(env).collect()
}

/// In what later boots of one record differ from its first: the number of the boot, and the first boot on the left.
#[must_use]
pub fn between_boots(record: &Record) -> Vec<(u32, Difference)> {
    let Some((first, later)) = record.boots.split_first() else { return Vec::new() };
    let recipe = &record.header.recipe;
    let each = later.iter().flat_map(|boot| {
        let pair = [(recipe, std::slice::from_ref(first)), (recipe, std::slice::from_ref(boot))];
        came(pair).into_iter().map(|difference| (boot.boot, difference))
    });
    each.collect()
}

/// The values of one fact over boots; `None` among them is a boot of which it is not known.
type Values = BTreeSet<Option<String>>;

/// A fact: its name, whether it has several values at once, and how it is had.
struct Fact<F> {
    field: &'static str,
    is_list: bool,
    of: F,
}

/// How a fact is had that one run has once.
type OfRun = fn(&Header) -> Vec<String>;

/// How a fact is had that each boot has for itself.
type OfBoot = fn(&Recipe, &Boot) -> Vec<String>;

impl<F> Fact<F> {
    const fn one(field: &'static str, of: F) -> Self {
        Self { field, is_list: false, of }
    }

    const fn list(field: &'static str, of: F) -> Self {
        Self { field, is_list: true, of }
    }

    fn difference(&self, left: &Values, right: &Values) -> Option<Difference> {
        if left == right {
            return None;
        }
        let words = |these: &Values, others: &Values| {
            let shown = these.iter().filter(|value| !self.is_list || !others.contains(*value));
            let words: Vec<&str> = shown.map(|value| value.as_deref().unwrap_or(NOT_KNOWN)).collect();
            if words.is_empty() { "nothing else".to_owned() } else { words.join(if self.is_list { "; " } else { " or " }) }
        };
        Some(Difference { field: self.field.to_owned(), left: words(left, right), right: words(right, left) })
    }
}

const IMAGE_ID: &str = "image id";
const IMAGE_DIGEST: &str = "registry digest";

/// What was asked for.
const ASKED: [Fact<OfRun>; 15] = [
    Fact::one("engine", |header| vec![header.recipe.engine.to_string()]),
    Fact::one("dialect", |header| vec![header.recipe.dialect.to_string()]),
    Fact::one("launch", |header| vec![header.launch.to_string()]),
    Fact::one("model id", |header| vec![header.recipe.model.id.clone()]),
    Fact::one("model source", |header| vec![header.recipe.model.source.clone()]),
    Fact::one("model revision", |header| vec![header.recipe.model.revision.clone()]),
    Fact::one("prefix cache", |header| vec![words::prefix_cache(header.recipe.prefix_cache).to_owned()]),
    Fact::one("machine", |header| vec![header.machine.name.clone()]),
    Fact::one("architecture", |header| vec![header.machine.arch.clone()]),
    Fact::one("GPU and driver", |header| header.machine.gpu.iter().cloned().collect()),
    Fact::one("GPUs given", |header| container(header, |one| vec![words::gpus(one.gpus).to_owned()])),
    Fact::one("shared memory, MiB", |header| container(header, |one| vec![number(one.shm_mib)])),
    Fact::one("IPC", |header| container(header, |one| vec![words::ipc(one.ipc).to_owned()])),
    Fact::list("ulimits", |header| container(header, ulimits)),
    Fact::one("memory limit, MiB", |header| container(header, |one| vec![number(one.memory_limit_mib)])),
];

/// What came.
const CAME: [Fact<OfBoot>; 9] = [
    Fact::one(IMAGE_ID, |_, boot| image(boot, |image| vec![image.id.clone()])),
    Fact::list(IMAGE_DIGEST, |_, boot| image(boot, |image| image.digests.clone())),
    Fact::one("platform", |_, boot| image(boot, |image| vec![image.platform.clone()])),
    Fact::one("engine version", |_, boot| boot.engine_version.iter().cloned().collect()),
    Fact::one("entrypoint", |recipe, _| recipe.container.iter().map(entrypoint).collect()),
    Fact::one("command", |recipe, boot| vec![line(&without_port(recipe, boot))]),
    Fact::list("served models", |_, boot| boot.identity.served_models.clone()),
    Fact::one("device", |_, boot| boot.identity.device.iter().map(|device| words::device(device.kind).to_owned()).collect()),
    Fact::list("backends", |_, boot| boot.identity.backends.clone()),
];

fn container(header: &Header, one: fn(&Container) -> Vec<String>) -> Vec<String> {
    header.recipe.container.as_ref().map(one).unwrap_or_default()
}

fn number(value: Option<u32>) -> String {
    value.map_or(NOT_SET.to_owned(), |value| value.to_string())
}

fn ulimits(container: &Container) -> Vec<String> {
    if container.ulimits.is_empty() {
        return vec![NOT_SET.to_owned()];
    }
    container.ulimits.iter().map(|(name, limit)| format!("{name} {}:{}", limit.soft, limit.hard)).collect()
}

fn image(boot: &Boot, one: fn(&record::Image) -> Vec<String>) -> Vec<String> {
    boot.identity.image.as_ref().map(one).unwrap_or_default()
}

fn known(values: Vec<String>) -> Values {
    let values: Values = values.into_iter().filter(|value| !value.trim().is_empty()).map(Some).collect();
    if values.is_empty() { [None].into() } else { values }
}

fn entrypoint(container: &Container) -> String {
    match container.entrypoint.as_deref() {
        None => "the image's own".to_owned(),
        Some([]) => "cleared".to_owned(),
        Some(words) => line(words),
    }
}

/// In what two groups of boots differ. The same image may have come from two registries, so digests only count beside another id.
fn came(sides: [(&Recipe, &[Boot]); 2]) -> Vec<Difference> {
    let over = |(recipe, boots): (&Recipe, &[Boot]), of: OfBoot| -> Values {
        if boots.is_empty() { [None].into() } else { boots.iter().flat_map(|boot| known(of(recipe, boot))).collect() }
    };
    let each = CAME.iter().filter_map(|fact| {
        let [left, right] = sides.map(|side| over(side, fact.of));
        fact.difference(&left, &right)
    });
    let mut found: Vec<Difference> = each.collect();
    if !found.iter().any(|one| one.field == IMAGE_ID) {
        found.retain(|one| one.field != IMAGE_DIGEST);
    }
    found
}

fn environment(recipe: &Recipe) -> BTreeMap<String, String> {
    let process = recipe.process.iter().flat_map(|one| &one.env);
    let container = recipe.container.iter().flat_map(|one| &one.env);
    process.chain(container).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The command as it was run, with `${PORT}` again where the recipe has it: a free port is another one in every boot. In a
/// container it is the port inside, which does not move.
fn without_port(recipe: &Recipe, boot: &Boot) -> Vec<String> {
    let asked = recipe.process.as_ref().map(|one| &one.command).filter(|asked| asked.len() == boot.command.len());
    let Some(asked) = asked else { return boot.command.clone() };
    let words = asked.iter().zip(&boot.command).map(|(asked, word)| {
        let port = asked.split_once("${PORT}").and_then(|(head, tail)| word.strip_prefix(head)?.strip_suffix(tail));
        let is_port = port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
        if is_port { asked.clone() } else { word.clone() }
    });
    words.collect()
}

/// Words on one line, so that two lists never give the same line.
fn line(words: &[String]) -> String {
    let is_plain =
        |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c.is_control() || "\"\\".contains(c));
    let words: Vec<String> = words.iter().map(|word| if is_plain(word) { word.clone() } else { format!("{word:?}") }).collect();
    words.join(" ")
}
