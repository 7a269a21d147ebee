//! The tables of docs/recipes.md and recipes/README.md: made from the recipes and the dialects, so that neither can say what is not so.

use std::{fs, path::Path};

use anyhow::anyhow;
use record::{
    Dialect, EngineName, Recipe,
    dialect::dialect,
    engine::{ChatApi, Evidence, RunningCount},
    recipe::parse,
};

/// The engines that have a recipe of their own name, in the order of the documentation.
const ENGINES: [(EngineName, &str); 6] = [
    (EngineName::Vllm, "vLLM"),
    (EngineName::Sglang, "SGLang"),
    (EngineName::Llamacpp, "llama.cpp"),
    (EngineName::Ollama, "Ollama"),
    (EngineName::Trtllm, "TensorRT-LLM"),
    (EngineName::Nim, "NVIDIA NIM"),
];

/// Of an engine that the testbed runs.
const RAN: &str = "server ran here on a CPU with a tiny model; this recipe not yet run on hardware";

/// Which text stands between which markers of which file.
pub(super) const PLACES: [(&str, &str); 2] = [("docs/recipes.md", "engines"), ("recipes/README.md", "recipes")];

/// Writes the tables of all documents that are not current.
pub(super) fn write(root: &Path) -> anyhow::Result<()> {
    let recipes = recipes(&root.join("recipes")).map_err(|why| anyhow!(why))?;
    for (file, marker) in PLACES {
        let path = root.join(file);
        let current = fs::read_to_string(&path)
            .map_err(|error| error.to_string())
            .and_then(|document| between(&document, marker, &text(marker, &recipes)?));
        super::write_if_different(&path, &current.map_err(|why| anyhow!("{file}: {why}"))?)?;
    }
    Ok(())
}

/// The recipes of a folder, in the order of their names.
fn recipes(folder: &Path) -> Result<Vec<Recipe>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let read = |path: &Path| {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        parse(&text, &path.display().to_string(), &name).map_err(|error| error.to_string())
    };
    let mut recipes = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    // Not their paths: among those `vllm.toml` comes after `vllm-gpt-oss-120b.toml`.
    recipes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(recipes)
}

/// The text that belongs between the markers of that name.
fn text(marker: &str, recipes: &[Recipe]) -> Result<String, String> {
    if marker == "engines" { engines(recipes) } else { Ok(recipe_rows(recipes)) }
}

/// A row for each engine.
fn engines(recipes: &[Recipe]) -> Result<String, String> {
    let mut text = String::from(
        "| engine | default recipe | chat API | forced length | token count | metrics | cache reset | status |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (engine, title) in ENGINES {
        let default = recipes.iter().find(|recipe| recipe.name == engine.as_str());
        let default = default.ok_or_else(|| format!("recipes/{engine}.toml: no default recipe for {title}"))?;
        text.push_str(&engine_row(title, default, dialect(default.dialect)));
    }
    Ok(text)
}

fn engine_row(title: &str, recipe: &Recipe, dialect: &Dialect) -> String {
    let image = recipe.container.as_ref().map_or("-", |container| container.image.as_str());
    let chat = match dialect.chat {
        ChatApi::Openai => "OpenAI",
        ChatApi::Ollama => "its own",
    };
    let forced = match (dialect.ignore_eos, dialect.min_tokens) {
        (true, true) => "`ignore_eos`, `min_tokens`",
        (true, false) => "`ignore_eos`",
        (false, true) => "`min_tokens`",
        (false, false) => "no",
    };
    let count = match dialect.running_count {
        RunningCount::None => "at the end",
        RunningCount::ContinuousUsage | RunningCount::Timings => "in every chunk",
    };
    let metrics = recipe.metrics_path.as_deref().or_else(|| dialect.metrics.map(|names| names.path));
    let metrics = metrics.map_or_else(|| "none".to_owned(), |path| format!("`{path}`"));
    let reset = dialect.cache_reset.map_or_else(|| "none".to_owned(), |reset| format!("`{}`", reset.path));
    let status = match dialect.evidence {
        // What ran was the server, never the image that this row names.
        Evidence::Executed => RAN,
        Evidence::Recorded | Evidence::Documented | Evidence::Simulation => "not yet run on hardware",
    };
    let default = format!("`{}` ({image})", recipe.name);
    format!("| {title} | {default} | {chat} | {forced} | {count} | {metrics} | {reset} | {status} |\n")
}

/// A row for each recipe.
fn recipe_rows(recipes: &[Recipe]) -> String {
    let mut text = String::from("| recipe | engine | launch | model | what it is |\n|---|---|---|---|---|\n");
    for recipe in recipes {
        let source = if recipe.model.is_of_hub() { format!("`{}`", recipe.model.source) } else { cell(&recipe.model.id) };
        let what = cell(&recipe.description);
        let row = format!("| `{}` | {} | {} | {source} | {what} |\n", recipe.name, recipe.engine, recipe.launch());
        text.push_str(&row);
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A document with the text between its markers replaced.
fn between(document: &str, marker: &str, text: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- {marker}:begin -->\n"), format!("<!-- {marker}:end -->"));
    let wanted = || format!("its markers `{}` and `{end}` are not there, in this order", begin.trim());
    let (before, rest) = document.split_once(&begin).ok_or_else(wanted)?;
    let (_, after) = rest.split_once(&end).ok_or_else(wanted)?;
    Ok(format!("{before}{begin}{text}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn committed_tables_are_current() {
        let loaded = recipes(&workspace().join("recipes")).unwrap();
        for (file, marker) in PLACES {
            let document = std::fs::read_to_string(workspace().join(file)).unwrap();
            let current = between(&document, marker, &text(marker, &loaded).unwrap()).unwrap();
            assert!(document == current, "{file} is stale; `cargo xtask regenerate tables` writes it");
        }
    }

    #[test]
    fn engine_rows_state_their_evidence() {
        let table = engines(&recipes(&workspace().join("recipes")).unwrap()).unwrap();
        for (engine, title) in ENGINES {
            let row = table.lines().find(|row| row.starts_with(&format!("| {title} |"))).unwrap();
            let ran = dialect(engine.as_str().parse().unwrap()).evidence == Evidence::Executed;
            assert_eq!(row.ends_with(&format!("| {RAN} |")), ran, "{row}");
            assert_eq!(row.ends_with("| not yet run on hardware |"), !ran, "{row}");
        }
    }

    #[test]
    fn text_replaces_what_is_between_its_markers() {
        let document = "a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n";
        assert_eq!(between(document, "x", "new\n").unwrap(), "a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n");
        assert!(between("<!-- x:end --><!-- x:begin -->\n", "x", "").unwrap_err().contains("not there"));
    }
}
