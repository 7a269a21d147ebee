//! Compares the engines of two sides fact by fact, so that every difference between two records is reported.

use std::collections::{BTreeMap, BTreeSet};

use record::{Boot, Cores, Header, Recipe, SizingSource, recipe::Container};
use serde::Serialize;

use crate::words;

mod comparability;

#[cfg(test)]
mod tests;

pub use comparability::{Comparability, Treatment};

/// One fact in which two engines differ. The texts are those of recipes and servers: not to be trusted as Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The fact's name, such as `image id`.
    pub field: String,
    /// Whether sides that differ in the fact can be compared.
    #[serde(rename = "class")]
    pub comparability: Comparability,
    /// The left value; of a list, the entries that the right one lacks.
    pub left: String,
    /// The right value; of a list, the entries that the left one lacks.
    pub right: String,
}

/// The value of a fact that a record does not hold. It differs from every known value.
pub const NOT_KNOWN: &str = "not known";

/// The value of a setting that a recipe leaves to the engine or the container daemon.
const NOT_SET: &str = "not set";

/// A run's engine: its header, and its boots.
pub type EngineRecord<'r> = (&'r Header, &'r [Boot]);

/// The differences between the engines of two sides, over all runs and boots of each. Not compared are the harness, the suite, the host's port, and
/// the tag of an image, which its id identifies.
#[must_use]
pub fn differences(left: &[EngineRecord<'_>], right: &[EngineRecord<'_>]) -> Vec<Difference> {
    let sides = [left, right];
    let requested = REQUESTED.iter().filter_map(|fact| {
        let [left, right] =
            sides.map(|side| side.iter().flat_map(|(header, _)| known_values((fact.read)(header))).collect::<KnownValues>());
        fact.difference(&left, &right)
    });
    let observed = observed_differences(&sides.map(|side| side.iter().map(|(header, boots)| (&header.recipe, *boots)).collect()));
    let [left_env, right_env] = sides.map(environments);
    let names: BTreeSet<&String> = left_env.keys().chain(right_env.keys()).collect();
    let env = names.into_iter().filter_map(|name| {
        let not_set = || [NOT_SET.to_owned()].into();
        let [left, right] = [&left_env, &right_env].map(|env| env.get(name).cloned().unwrap_or_else(not_set));
        let words = |values: BTreeSet<String>| values.into_iter().collect::<Vec<_>>().join(" or ");
        let comparability = Comparability::Treatable(Treatment::Environment);
        (left != right).then(|| Difference {
            field: format!("environment {name}"),
            comparability,
            left: words(left),
            right: words(right),
        })
    });
    requested.chain(observed).chain(env).collect()
}

/// The differences of later boots of a run from its first one, each with the number of the later boot; the first boot is on the left.
#[must_use]
pub fn between_boots((header, boots): EngineRecord<'_>) -> Vec<(u32, Difference)> {
    let Some((first, later)) = boots.split_first() else { return Vec::new() };
    let recipe = &header.recipe;
    let each = later.iter().flat_map(|boot| {
        let pair = [std::slice::from_ref(first), std::slice::from_ref(boot)].map(|boots| vec![(recipe, boots)]);
        observed_differences(&pair).into_iter().map(|difference| (boot.boot, difference))
    });
    each.collect()
}

/// The values of one fact over boots; `None` stands for a boot whose value is not known.
type KnownValues = BTreeSet<Option<String>>;

/// A fact that is compared: its name, whether it is a list, and the function that reads it.
struct Fact<F> {
    field: &'static str,
    comparability: Comparability,
    is_list: bool,
    read: F,
}

/// Reads a fact that a run has once.
type HeaderReader = fn(&Header) -> Vec<String>;

/// Reads a fact that each boot has for itself.
type BootReader = fn(&Recipe, &Boot) -> Vec<String>;

impl<F> Fact<F> {
    const fn scalar(field: &'static str, comparability: Comparability, read: F) -> Self {
        Self { field, comparability, is_list: false, read }
    }

    const fn list(field: &'static str, comparability: Comparability, read: F) -> Self {
        Self { field, comparability, is_list: true, read }
    }

    fn difference(&self, left: &KnownValues, right: &KnownValues) -> Option<Difference> {
        if left == right {
            return None;
        }
        let words = |own: &KnownValues, other: &KnownValues| {
            let shown = own.iter().filter(|value| !self.is_list || !other.contains(*value));
            let words: Vec<&str> = shown.map(|value| value.as_deref().unwrap_or(NOT_KNOWN)).collect();
            if words.is_empty() { "nothing else".to_owned() } else { words.join(if self.is_list { "; " } else { " or " }) }
        };
        Some(Difference {
            field: self.field.to_owned(),
            comparability: self.comparability,
            left: words(left, right),
            right: words(right, left),
        })
    }
}

const IMAGE_ID: &str = "image id";
const IMAGE_DIGEST: &str = "registry digest";

const IMAGE: Comparability = Comparability::Treatable(Treatment::Image);
const ENGINE: Comparability = Comparability::Treatable(Treatment::Engine);
const FLAGS: Comparability = Comparability::Treatable(Treatment::Flags);
const MODEL: Comparability = Comparability::Treatable(Treatment::Model);
const TOKENIZER: Comparability = Comparability::Treatable(Treatment::Tokenizer);
const MACHINE: Comparability = Comparability::Treatable(Treatment::Machine);

/// Facts of the header: what the recipe requests, and the machine.
const REQUESTED: [Fact<HeaderReader>; 21] = [
    Fact::scalar("engine", ENGINE, |header| vec![header.recipe.engine.to_string()]),
    Fact::scalar("dialect", ENGINE, |header| vec![header.recipe.dialect.to_string()]),
    Fact::scalar("launch", ENGINE, |header| vec![header.launch.to_string()]),
    Fact::scalar("model id", MODEL, |header| vec![header.recipe.model.id.clone()]),
    Fact::scalar("model source", MODEL, |header| vec![header.recipe.model.source.clone()]),
    Fact::scalar("model revision", MODEL, |header| vec![header.recipe.model.revision.clone()]),
    Fact::scalar("prefix cache", FLAGS, |header| vec![words::prefix_cache(header.recipe.prefix_cache).to_owned()]),
    Fact::scalar("machine", MACHINE, |header| vec![header.machine.name.clone()]),
    Fact::scalar("architecture", MACHINE, |header| vec![header.machine.arch.clone()]),
    Fact::scalar("processors", MACHINE, |header| header.machine.cpus.iter().map(u32::to_string).collect()),
    Fact::scalar("processors of the engine", FLAGS, |header| header.cores.iter().map(engine_processors).collect()),
    Fact::scalar("memory, GiB", MACHINE, |header| header.machine.memory_bytes.iter().map(|bytes| gib(*bytes)).collect()),
    Fact::scalar("GPU", MACHINE, |header| header.machine.gpu.iter().cloned().collect()),
    Fact::scalar("GPU driver", Comparability::Informational, |header| header.machine.driver.iter().cloned().collect()),
    Fact::scalar("kernel", Comparability::Informational, |header| header.machine.kernel.iter().cloned().collect()),
    Fact::scalar("GPUs given", FLAGS, |header| container(header, |container| vec![words::gpus(container.gpus).to_owned()])),
    Fact::scalar("shared memory, MiB", FLAGS, |header| container(header, |container| vec![number(container.shm_mib)])),
    Fact::scalar("IPC", FLAGS, |header| container(header, |container| vec![words::ipc(container.ipc).to_owned()])),
    Fact::list("ulimits", FLAGS, |header| container(header, ulimits)),
    Fact::list("mounts", FLAGS, |header| container(header, mounts)),
    Fact::scalar("memory limit, MiB", FLAGS, |header| container(header, |container| vec![number(container.memory_limit_mib)])),
];

/// The number of processors left to the engine when the client has processors of its own.
fn engine_processors(cores: &Cores) -> String {
    if cores.engine.is_empty() { NOT_KNOWN.to_owned() } else { cores.engine.len().to_string() }
}

/// Facts of each boot, as they were observed on the running engine.
const OBSERVED: [Fact<BootReader>; 10] = [
    Fact::scalar(IMAGE_ID, IMAGE, |_, boot| image(boot, |image| vec![image.id.clone()])),
    Fact::list(IMAGE_DIGEST, IMAGE, |_, boot| image(boot, |image| image.digests.clone())),
    Fact::scalar("platform", IMAGE, |_, boot| image(boot, |image| vec![image.platform.clone()])),
    Fact::scalar("engine version", IMAGE, |_, boot| boot.engine_version.iter().cloned().collect()),
    Fact::scalar("entrypoint", FLAGS, |recipe, _| recipe.container.iter().map(entrypoint).collect()),
    Fact::scalar("command", FLAGS, |recipe, boot| vec![quoted_line(&without_port(recipe, boot))]),
    Fact::list("served models", MODEL, |_, boot| boot.identity.served_models.clone()),
    Fact::scalar("tokenizer", TOKENIZER, |_, boot| vec![tokenizer(&boot.sizing.source)]),
    Fact::scalar("device", MACHINE, |_, boot| {
        boot.identity.device.iter().map(|device| words::device(device.kind).to_owned()).collect()
    }),
    Fact::list("backends", Comparability::Informational, |_, boot| boot.identity.backends.clone()),
];

/// The source of the prompts' token counts.
fn tokenizer(source: &SizingSource) -> String {
    match source {
        SizingSource::Tokenizer { sha256 } => format!("SHA-256 {sha256}"),
        SizingSource::Endpoint => "the engine's own".to_owned(),
        SizingSource::Calibrated => "none: by the usage that came back".to_owned(),
    }
}

/// Rounded to the nearest GiB, since the memory reserved by the kernel differs between versions.
fn gib(bytes: u64) -> String {
    ((bytes + (1 << 29)) >> 30).to_string()
}

fn mounts(container: &Container) -> Vec<String> {
    let words = |writable| if writable { "writable" } else { "read only" };
    container.mounts.iter().map(|mount| format!("{} at {}, {}", mount.source, mount.target, words(mount.writable))).collect()
}

fn container(header: &Header, read: fn(&Container) -> Vec<String>) -> Vec<String> {
    header.recipe.container.as_ref().map(read).unwrap_or_default()
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

fn image(boot: &Boot, read: fn(&record::Image) -> Vec<String>) -> Vec<String> {
    boot.identity.image.as_ref().map(read).unwrap_or_default()
}

fn known_values(values: Vec<String>) -> KnownValues {
    let values: KnownValues = values.into_iter().filter(|value| !value.trim().is_empty()).map(Some).collect();
    if values.is_empty() { [None].into() } else { values }
}

fn entrypoint(container: &Container) -> String {
    match container.entrypoint.as_deref() {
        None => "the image's own".to_owned(),
        Some([]) => "cleared".to_owned(),
        Some(words) => quoted_line(words),
    }
}

/// The differences between two groups of boots. The same image may come from two registries, so registry digests are compared only where the image
/// ids differ.
fn observed_differences(sides: &[Vec<(&Recipe, &[Boot])>; 2]) -> Vec<Difference> {
    let of_run = |(recipe, boots): (&Recipe, &[Boot]), read: BootReader| -> KnownValues {
        if boots.is_empty() { [None].into() } else { boots.iter().flat_map(|boot| known_values(read(recipe, boot))).collect() }
    };
    let over = |runs: &[(&Recipe, &[Boot])], read: BootReader| -> KnownValues {
        runs.iter().flat_map(|run| of_run(*run, read)).collect()
    };
    let each = OBSERVED.iter().filter_map(|fact| fact.difference(&over(&sides[0], fact.read), &over(&sides[1], fact.read)));
    let mut found: Vec<Difference> = each.collect();
    if !found.iter().any(|difference| difference.field == IMAGE_ID) {
        found.retain(|difference| difference.field != IMAGE_DIGEST);
    }
    found
}

/// The variables of all runs of a side, each with its values.
fn environments(side: &[EngineRecord<'_>]) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (header, _) in side {
        for (name, value) in environment(&header.recipe) {
            all.entry(name).or_default().insert(value);
        }
    }
    all
}

fn environment(recipe: &Recipe) -> impl Iterator<Item = (String, String)> {
    let process = recipe.process.iter().flat_map(|process| &process.env);
    let container = recipe.container.iter().flat_map(|container| &container.env);
    process.chain(container).map(|(name, value)| (name.clone(), value.clone()))
}

/// The command as it was run, with `${PORT}` again where the recipe has it: a free port is another one in every boot. In a
/// container it is the port inside, which does not move.
fn without_port(recipe: &Recipe, boot: &Boot) -> Vec<String> {
    let requested =
        recipe.process.as_ref().map(|process| &process.command).filter(|requested| requested.len() == boot.command.len());
    let Some(requested) = requested else { return boot.command.clone() };
    let words = requested.iter().zip(&boot.command).map(|(requested, word)| {
        let port = requested.split_once("${PORT}").and_then(|(head, tail)| word.strip_prefix(head)?.strip_suffix(tail));
        let is_port = port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
        if is_port { requested.clone() } else { word.clone() }
    });
    words.collect()
}

/// The words on one line, quoted so that different lists give different lines.
fn quoted_line(words: &[String]) -> String {
    let is_plain =
        |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c.is_control() || "\"\\".contains(c));
    let words: Vec<String> = words.iter().map(|word| if is_plain(word) { word.clone() } else { format!("{word:?}") }).collect();
    words.join(" ")
}
