//! `recipe pin`: from the names of things to the things themselves.
//!
//! The image and the model that are on this machine are written into the recipe, so that the next boot takes the same or fails. Nothing
//! is fetched: what a tag stands for in the registry by now may be something else.

use std::{env, path::Path};

use record::{
    ExitCode, Recipe,
    recipe::{is_digest, parse, repository},
};

use super::{hub, new};
use crate::{
    UsageError,
    docker::{self, Image},
    home, print,
    recipe_store::{Origin, RecipeStore, StoredRecipe},
    say, whole_file,
};

mod splice;

use splice::Pins;

/// Pins a recipe by name or path.
pub(crate) fn run(name: &str) -> anyhow::Result<ExitCode> {
    let store = RecipeStore::open();
    let StoredRecipe { recipe, text, origin, .. } = store.load(name).map_err(UsageError::because)?;
    if recipe.container.is_none() {
        say(&format!("{name}: nothing to pin: only a recipe with a [container] takes images and models from elsewhere"));
        return Ok(ExitCode::Engine);
    }
    let mut messages = PinMessages::default();
    let pins = Pins { digest: digest(&recipe, &mut messages), revision: revision(&recipe, &mut messages) };
    if pins != Pins::default() {
        let path = match origin {
            Origin::File(path) => path,
            // What is built in cannot be written to: a copy of one's own goes before it from now on.
            Origin::BuiltIn => new::copy_built_in(&store, name, &text)?,
        };
        write(&recipe, &pins, &text, &path)?;
    }
    for line in &messages.pinned {
        print(line);
    }
    for line in &messages.failed {
        say(&format!("not pinned: {line}"));
    }
    Ok(if messages.pinned.is_empty() { ExitCode::Engine } else { ExitCode::Success })
}

#[derive(Default)]
struct PinMessages {
    pinned: Vec<String>,
    failed: Vec<String>,
}

fn digest(recipe: &Recipe, messages: &mut PinMessages) -> Option<String> {
    let container = recipe.container.as_ref()?;
    let name = &container.image;
    let found = match docker::image(name) {
        Ok(Some(image)) => digest_of(&image, name),
        Ok(None) => Err(format!("the image {name} is not on this machine; `docker pull {name}` fetches it")),
        Err(error) => Err(format!("the image {name}: {error}")),
    };
    match (found, &container.digest) {
        (Err(why), _) => messages.failed.push(why),
        (Ok((digest, _)), Some(known)) if *known == digest => {
            messages.pinned.push(format!("the image has its digest already: {digest}"));
        }
        (Ok((digest, what)), known) => {
            let before = known.as_ref().map(|known| format!(", which was {known}")).unwrap_or_default();
            messages.pinned.push(format!("[container] digest = {digest}, {what} of {name}{before}"));
            return Some(digest);
        }
    }
    None
}

/// The registry's digest if the image came from the repository that it is called after, else its id: then it was made or tagged here.
fn digest_of(image: &Image, name: &str) -> Result<(String, &'static str), String> {
    let familiar = |repository: &str| {
        let short = repository.strip_prefix("docker.io/").unwrap_or(repository);
        short.strip_prefix("library/").unwrap_or(short).to_owned()
    };
    let wanted = familiar(repository(name));
    let of_registry = image.repo_digests.iter().flatten().find_map(|one| {
        let (repository, digest) = one.split_once('@')?;
        (familiar(repository) == wanted).then(|| digest.to_owned())
    });
    let found = of_registry.map_or((image.id.clone(), "the id"), |digest| (digest, "the registry's digest"));
    if is_digest(&found.0) {
        Ok(found)
    } else {
        Err(format!("the image {name}: Docker calls it `{}`, which is no digest", found.0))
    }
}

fn revision(recipe: &Recipe, messages: &mut PinMessages) -> Option<String> {
    let model = &recipe.model;
    if !model.is_of_hub() {
        messages.failed.push(format!("the model: its source, `{}`, is not `owner/name` of the Hugging Face hub", model.source));
        return None;
    }
    if model.is_pinned() {
        messages.pinned.push(format!("the model has its commit already: {}", model.revision));
        return None;
    }
    let Some(home) = home::hugging_face() else {
        messages.failed.push("the model: no cache of the hub; set HF_HOME".to_owned());
        return None;
    };
    let models = hub::models(&home);
    match hub::commit(&models, &model.source, &model.revision) {
        Ok(commit) => {
            messages.pinned.push(format!("[model] revision = {commit}, what is in {} for {}", models.display(), model.source));
            Some(commit)
        }
        Err(why) => {
            let elsewhere =
                hub::unmounted_cache_note(&models, env::var_os("HF_HUB_CACHE")).map(|why| format!("; {why}")).unwrap_or_default();
            messages.failed.push(format!("the model {}: {why}{elsewhere}", model.source));
            None
        }
    }
}

fn write(recipe: &Recipe, pins: &Pins, text: &str, path: &Path) -> anyhow::Result<()> {
    let shown = path.display().to_string();
    let wrong = |why: String| UsageError(format!("{shown}: {why}; write it yourself:\n{pins}"));
    let pinned = splice::splice(text, pins).map_err(wrong)?;
    // The text was changed by position; what it says now must be exactly what was meant.
    let says = parse(&pinned, &shown, &recipe.name).map_err(|error| wrong(error.to_string()))?;
    if says != pins.applied_to(recipe) {
        return Err(wrong("its layout is not one that can be changed in place".to_owned()).into());
    }
    whole_file::write(path, &pinned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789012345678901234567890123456789012345678901234567890123";

    #[test]
    fn registry_digest_is_preferred_to_the_image_id() {
        let image = |digests: &[&str]| Image {
            id: format!("sha256:{HEX}"),
            repo_digests: Some(digests.iter().map(|one| (*one).to_owned()).collect()),
            os: String::new(),
            architecture: String::new(),
        };
        let of_registry = format!("sha256:{}", HEX.replace('0', "a"));
        let check = |name: &str, digests: &[&str], expected: &str| {
            assert_eq!(digest_of(&image(digests), name).unwrap().1, expected, "{name}");
        };
        let entry = |repository: &str| format!("{repository}@{of_registry}");
        check("vllm/vllm-openai:v1", &[&entry("other/one"), &entry("vllm/vllm-openai")], "the registry's digest");
        check("docker.io/library/ollama:1", &[&entry("ollama")], "the registry's digest");
        check("mine:1", &[], "the id");
        check("mine:1", &[&entry("ollama")], "the id");
        assert_eq!(digest_of(&image(&[&entry("mine")]), "mine:1").unwrap().0, of_registry);
        assert!(digest_of(&Image { id: "x".to_owned(), ..image(&[]) }, "mine:1").unwrap_err().contains("no digest"));
    }
}
