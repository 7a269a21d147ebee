//! Converts the text of a sparkrun recipe: a pure function.

use std::collections::BTreeMap;

use record::{
    DialectName, EngineName, Recipe,
    recipe::{Container, Gpus, Ipc, Limits, Model, Mount, PrefixCache, Readiness, StopSignal, parse, repository},
    secret_name,
};

use super::{
    arguments::{Arguments, CommandLine},
    environment::Environment,
    template,
    yaml::{self, SourceRecipe},
};
use crate::recipe_text;

mod left_out;
mod words;

pub(crate) use words::{name, shown};

/// A foreign recipe that cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// It is not YAML, or not one mapping.
    #[error("{0}")]
    NotYaml(String),
    /// A key that must be there.
    #[error("it has no `{key}`; {advice}")]
    Missing { key: &'static str, advice: &'static str },
    /// Placeholders without a value.
    #[error("no value for {0}; add it to `defaults`, or write it into the command")]
    Unresolved(String),
    /// Steps that would run or patch something.
    #[error("it has {0}, which run commands or change the image; --allow-hooks imports the rest and notes them")]
    Hooks(String),
    /// Any other setting that cannot be converted.
    #[error("{0}")]
    Refused(String),
    /// The converted recipe is not valid.
    #[error("the converted recipe is not valid: {0}")]
    Outcome(String),
    /// The written recipe reads back as another one.
    #[error("it does not read back as it was written; that is a mistake of this program")]
    RoundTrip,
}

pub(crate) struct ImportRequest<'a> {
    /// The new recipe's name.
    pub(crate) name: &'a str,
    /// The file that it comes from, for a comment.
    pub(crate) file: &'a str,
    /// Whether hooks are noted instead of refused.
    pub(crate) allow_hooks: bool,
}

/// The result of a conversion: TOML and notes.
#[derive(Debug)]
pub(crate) struct ConvertedRecipe {
    pub(crate) text: String,
    /// What was not carried over, a line each.
    pub(crate) left_out: Vec<String>,
}

/// Keys of steps that run commands or patch the image.
const HOOKS: [&str; 6] = ["mods", "builder", "build_args", "pre_exec", "post_exec", "post_commands"];

/// Flags that decide what only the workload may decide.
const CACHE_FLAGS: [&str; 5] =
    ["--enable-prefix-caching", "--no-enable-prefix-caching", "--disable-radix-cache", "--cache-prompt", "--no-cache-prompt"];

/// Converts a foreign recipe.
pub(crate) fn convert(text: &str, request: &ImportRequest<'_>) -> Result<ConvertedRecipe, ImportError> {
    let foreign = SourceRecipe::read(text)?;
    let hooks: Vec<&str> = HOOKS.into_iter().filter(|key| foreign.get(key).is_some()).collect();
    if !hooks.is_empty() && !request.allow_hooks {
        return Err(ImportError::Hooks(hooks.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")));
    }
    refuse_clusters(&foreign)?;
    let (recipe, mut notes) = recipe(&foreign, request.name)?;
    left_out::keys(&foreign, &mut notes);
    for note in &mut notes {
        *note = words::line(note);
    }
    let mut head = vec![format!("Imported from {}, a recipe for sparkrun.", words::line(request.file))];
    for key in hooks {
        let steps = foreign.get(key).map(ToString::to_string).unwrap_or_default();
        let note = format!("by hand before the first boot, since nothing of it was run: {key}: {}", words::line(&steps));
        notes.push(note);
    }
    head.extend(notes.iter().map(|note| format!("Not carried over: {note}")));
    let text = format!("# {}\n{}", head.join("\n# "), recipe_text::recipe(&recipe));
    let again = parse(&text, "the import", request.name).map_err(|error| ImportError::Outcome(error.to_string()))?;
    if again != recipe {
        return Err(ImportError::RoundTrip);
    }
    Ok(ConvertedRecipe { text, left_out: notes })
}

/// A recipe for several machines would be another system on one.
fn refuse_clusters(foreign: &SourceRecipe) -> Result<(), ImportError> {
    let number = |text: Option<String>| text.and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
    let refused = |why: String| Err(ImportError::Refused(format!("{why}; only one machine is measured so far")));
    let nodes = number(foreign.text("min_nodes")?);
    if nodes > 1 {
        return refused(format!("`min_nodes` is {nodes}"));
    }
    if foreign.text("cluster_only")?.as_deref() == Some("true") || foreign.text("mode")?.as_deref() == Some("cluster") {
        return refused("it is for a cluster".to_owned());
    }
    let defaults = foreign.table("defaults")?;
    for key in ["tensor_parallel", "pipeline_parallel", "data_parallel"] {
        let machines = number(defaults.get(key).and_then(yaml::scalar));
        if machines > 1 {
            return refused(format!("`{key}` is {machines}, a machine each"));
        }
    }
    if foreign.get("containers").is_some() {
        return refused("`containers` names an image for each machine".to_owned());
    }
    Ok(())
}

fn recipe(foreign: &SourceRecipe, name: &str) -> Result<(Recipe, Vec<String>), ImportError> {
    let mut notes = Vec::new();
    let served = foreign.text("model")?.ok_or(ImportError::Missing { key: "model", advice: "name the model" })?;
    let values = values(foreign, &served, &mut notes)?;
    let advice = "sparkrun would make one of its defaults; write it out";
    let command = foreign.text("command")?.ok_or(ImportError::Missing { key: "command", advice })?;
    let resolved = template::resolve(&command, &values)?;
    let unused =
        values.keys().filter(|key| !resolved.used.contains(*key) && !["model", "model_revision"].contains(&key.as_str()));
    notes.extend(unused.filter(|key| *key != "port").map(|key| format!("defaults `{key}`: the command does not use it")));
    let line = CommandLine::read(&resolved.text)?;
    let engine = engine(foreign, line.engine)?;
    let mut environment = Environment::read(&foreign.table("env")?, &values)?;
    for (name, value) in &line.env {
        environment.insert(name, value)?;
    }
    let mut arguments = line.arguments;
    remove_workload_flags(&mut arguments, &mut notes)?;
    let port = port(&mut arguments, &values, engine)?;
    let model = model(foreign, &served, &mut arguments, engine, &mut notes)?;
    let limits = Limits { max_concurrent: words::number(&arguments, &words::AT_ONCE), ..Limits::default() };
    notes.append(&mut environment.left_out);
    notes.extend(words::files(&arguments).map(|file| format!("the file `{file}`: the argument was, but the image must hold it")));
    let mut container = container(foreign, &mut notes)?;
    (container.entrypoint, container.command) = entrypoint(foreign, &container.image, line.program, &mut notes)?;
    container.command.extend(arguments.0);
    container.env = environment.open;
    container.port = port;
    let recipe = Recipe {
        name: name.to_owned(),
        engine,
        dialect: engine.as_str().parse().unwrap_or(DialectName::Openai),
        description: left_out::description(foreign),
        model,
        container: Some(container),
        process: None,
        attach: None,
        prefix_cache: PrefixCache::Workload,
        metrics_path: None,
        ready: Readiness::default(),
        limits,
        secrets: environment.secrets,
    };
    Ok((recipe, notes))
}

/// What placeholders stand for.
fn values(foreign: &SourceRecipe, served: &str, notes: &mut Vec<String>) -> Result<BTreeMap<String, String>, ImportError> {
    let mut values = BTreeMap::new();
    for (key, value) in foreign.table("defaults")? {
        match yaml::scalar(&value) {
            Some(value) => drop(values.insert(key, value)),
            None => notes.push(format!("defaults `{key}`: not one value")),
        }
    }
    values.insert("model".to_owned(), served.to_owned());
    if let Some(revision) = foreign.text("model_revision")? {
        values.insert("model_revision".to_owned(), revision);
    }
    Ok(values)
}

/// Theirs have several runtimes that are one engine.
fn engine(foreign: &SourceRecipe, program: EngineName) -> Result<EngineName, ImportError> {
    let Some(runtime) = foreign.text("runtime")? else { return Ok(program) };
    let engine = match runtime.as_str() {
        "vllm" | "vllm-ray" | "vllm-distributed" | "eugr-vllm" => EngineName::Vllm,
        "sglang" => EngineName::Sglang,
        "llama-cpp" | "llama.cpp" | "llamacpp" => EngineName::Llamacpp,
        "trtllm" | "tensorrt-llm" => EngineName::Trtllm,
        "ollama" => EngineName::Ollama,
        other => return Err(ImportError::Refused(format!("its runtime, `{other}`, is no engine that is known here"))),
    };
    if engine == program {
        return Ok(engine);
    }
    Err(ImportError::Refused(format!("its runtime is `{runtime}`, but its command starts {program}")))
}

/// The port that it is to listen on, on all addresses of its container.
fn port(arguments: &mut Arguments, values: &BTreeMap<String, String>, engine: EngineName) -> Result<u16, ImportError> {
    let given = arguments.value(&["--port"]).map(str::to_owned).or_else(|| values.get("port").cloned());
    let port = match given {
        None if engine == EngineName::Sglang => 30000,
        None if engine == EngineName::Llamacpp => 8080,
        None if engine == EngineName::Ollama => 11434,
        None => 8000,
        Some(text) => {
            text.parse().ok().filter(|port| *port != 0).ok_or_else(|| ImportError::Refused(format!("`{text}` is no port")))?
        }
    };
    if engine != EngineName::Ollama {
        arguments.set("--host", "0.0.0.0");
        arguments.set("--port", "${PORT}");
    }
    Ok(port)
}

/// Takes away what the workload decides, and refuses what no flag may ask for.
fn remove_workload_flags(arguments: &mut Arguments, notes: &mut Vec<String>) -> Result<(), ImportError> {
    for flag in CACHE_FLAGS {
        notes.extend(arguments.take(flag).into_iter().map(|flag| format!("`{flag}`: the workload decides what may be shared")));
    }
    let words: Vec<_> = arguments.0.iter().map(String::as_str).collect();
    if secret_name::exposed_secret(&words).is_some() {
        return Err(ImportError::Refused(
            "`command` holds a key; take it out: a token is named in `env`, and an API key is not needed on the loopback address"
                .to_owned(),
        ));
    }
    for flag in ["-tp", "--tensor-parallel-size", "--tp", "--tp-size", "--tp_size", "-pp", "--pipeline-parallel-size", "--nnodes"]
    {
        if let Some(machines) = arguments.value(&[flag]).filter(|value| value.parse::<u32>().is_ok_and(|machines| machines > 1)) {
            return Err(ImportError::Refused(format!("`{flag} {machines}` needs as many machines; only one is measured so far")));
        }
    }
    Ok(())
}

/// The model by name and revision. A file of a GGUF repository is named `owner/name:QUANTISATION`.
fn model(
    foreign: &SourceRecipe,
    served: &str,
    arguments: &mut Arguments,
    engine: EngineName,
    notes: &mut Vec<String>,
) -> Result<Model, ImportError> {
    if served.starts_with(['/', '.', '~']) {
        return Err(ImportError::Refused(format!(
            "`model` is `{served}`, a place on somebody's machine; name a model of the hub"
        )));
    }
    let (source, file) = served.split_once(':').map_or((served, String::new()), |(source, file)| (source, format!(":{file}")));
    let revisions = ["--revision", "--model-revision"];
    let given = foreign.text("model_revision")?.or_else(|| arguments.value(&revisions).map(str::to_owned));
    let plain = |one: char| one.is_ascii_alphanumeric() || "._-/".contains(one);
    if let Some(odd) = given.as_ref().filter(|given| !given.chars().all(plain)) {
        return Err(ImportError::Refused(format!("`{odd}` is no revision of a model")));
    }
    arguments.replace(served, &format!("${{MODEL}}{file}"));
    if matches!(engine, EngineName::Vllm | EngineName::Sglang) {
        arguments.set("--revision", "${REVISION}");
        if given.is_none() {
            notes.push(
                "the model's revision: it names none, so `main` was written and is passed on; `recipe pin` makes it a commit"
                    .to_owned(),
            );
        }
    }
    let id = arguments.value(&["--served-model-name", "--alias", "-a"]).filter(|id| !id.starts_with("${")).unwrap_or(served);
    let model = Model {
        id: id.to_owned(),
        source: source.to_owned(),
        revision: given.unwrap_or_else(|| "main".to_owned()),
        tokenizer: None,
        max_context: words::number(arguments, &words::CONTEXT),
    };
    if model.is_of_hub() { Ok(model) } else { Err(ImportError::Refused(format!("`model` is `{served}`, not `owner/name`"))) }
}

/// Everything of the container but what its command says.
fn container(foreign: &SourceRecipe, notes: &mut Vec<String>) -> Result<Container, ImportError> {
    let image =
        foreign.text("container")?.ok_or(ImportError::Missing { key: "container", advice: "name the image with its tag" })?;
    let plain = |one: char| one.is_ascii_alphanumeric() || "._-/:@".contains(one);
    if !image.chars().all(plain) {
        return Err(ImportError::Refused(format!("`container` is `{}`, not an image's name", words::line(&image))));
    }
    let (image, digest) =
        image.split_once('@').map_or((image.as_str(), None), |(image, digest)| (image, Some(digest.to_owned())));
    let executor = foreign.table("executor_config")?;
    let setting = |key: &str| executor.get(key).and_then(yaml::scalar);
    // Its own defaults, where a recipe says nothing: github.com/spark-arena/sparkrun, RECIPES.md, Executor.
    let ipc = if setting("ipc").is_none_or(|ipc| ipc == "host") { Ipc::Host } else { Ipc::Private };
    let shm_mib = words::size_mib(&setting("shm_size").unwrap_or_else(|| "10.24gb".to_owned()))?;
    let gpus = match setting("gpus").as_deref() {
        Some("none" | "0" | "false") => Gpus::None,
        None | Some("all") => Gpus::All,
        Some(other) => {
            notes.push(format!("executor_config `gpus` (`{other}`): it gets all of them"));
            Gpus::All
        }
    };
    for key in executor.keys().filter(|key| !["ipc", "shm_size", "gpus", "entrypoint"].contains(&key.as_str())) {
        notes.push(format!("executor_config `{key}`"));
    }
    Ok(Container {
        image: image.to_owned(),
        digest,
        platform: Some("linux/arm64".to_owned()),
        entrypoint: None,
        command: Vec::new(),
        env: BTreeMap::new(),
        mounts: vec![Mount { source: "${HF_CACHE}".to_owned(), target: words::HUB_CACHE.to_owned(), writable: true }],
        port: 0,
        host_port: 0,
        gpus,
        shm_mib: Some(shm_mib),
        ipc,
        ulimits: BTreeMap::new(),
        memory_limit_mib: None,
        stop_signal: StopSignal::Term,
        stop_grace_s: 30,
    })
}

/// An image whose own entrypoint is a server, which would take a command for its arguments.
const SERVER_IMAGE: &str = "vllm/vllm-openai";

/// What replaces the image's entrypoint, if anything does, and the words of the command up to its arguments.
///
/// sparkrun runs `IMAGE bash -c COMMAND`, so by default the image's entrypoint stays: it prepares things and then runs what it is given
/// (RECIPES.md, "Which images need this"). `""` clears it. sparkrun itself looks into an image and refuses one that could not work so;
/// here nothing is looked into, and the one that is known is helped.
fn entrypoint(
    foreign: &SourceRecipe,
    image: &str,
    program: Vec<String>,
    notes: &mut Vec<String>,
) -> Result<(Option<Vec<String>>, Vec<String>), ImportError> {
    let mut given = foreign.table("executor_config")?.get("entrypoint").and_then(yaml::scalar);
    let repository = repository(image);
    if given.is_none() && repository.strip_prefix("docker.io/").unwrap_or(repository) == SERVER_IMAGE {
        notes.push(format!(
            "the image's entrypoint: that of {SERVER_IMAGE} is `vllm serve`, which would take the command for arguments"
        ));
        given = Some(String::new());
    }
    Ok(match given {
        None => (None, program),
        Some(given) if !given.is_empty() => (Some(vec![given]), program),
        Some(_) => {
            let mut words = program.into_iter();
            (Some(words.by_ref().take(1).collect()), words.collect())
        }
    })
}

#[cfg(test)]
mod tests;
