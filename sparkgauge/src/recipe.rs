//! `recipe`: what recipes there are, what each would run, whether they are right, and how they come to name one engine for ever.

mod boot;
mod check;
mod hub;
mod import;
mod list;
mod new;
mod pin;

use clap::Subcommand;
use record::ExitCode;

use crate::{
    UsageError, print,
    recipe_store::{RecipeStore, StoredRecipe},
    recipe_text,
};

/// What `recipe` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum RecipeVerb {
    /// Every recipe: engine, model, pinned or not.
    List,
    /// A recipe with everything filled in, and the command that it amounts to.
    Show {
        /// A recipe's name, or a path.
        name: String,
    },
    /// Whether recipes are right, and what about them spoils a measurement.
    Check {
        /// Names or paths; none means all.
        names: Vec<String>,
    },
    /// Write the digest of the image and the commit of the model that are on this machine into a recipe.
    Pin {
        /// A recipe's name, or a path.
        name: String,
    },
    /// Begin a recipe of your own from one that there is.
    New(new::NewArgs),
    /// Make a recipe of a sparkrun or Spark Arena recipe (YAML, version 1 or 2).
    Import(import::ImportArgs),
}

/// Runs one of them.
pub(crate) fn run(verb: &RecipeVerb) -> anyhow::Result<ExitCode> {
    match verb {
        RecipeVerb::List => Ok(list::run()),
        RecipeVerb::Show { name } => show(name),
        RecipeVerb::Check { names } => Ok(check::run(names)),
        RecipeVerb::Pin { name } => pin::run(name),
        RecipeVerb::Import(args) => import::run(args),
        RecipeVerb::New(args) => new::run(args),
    }
}

fn show(name: &str) -> anyhow::Result<ExitCode> {
    let StoredRecipe { recipe, folder, .. } = RecipeStore::open().load(name).map_err(UsageError::because)?;
    let places = boot::Places::of_this_machine(&folder);
    print(recipe_text::recipe(&recipe).trim_end());
    print("\n# what that runs");
    print(&boot::as_command(&recipe, &places).map_err(|why| UsageError(format!("{name}: {why}")))?);
    for line in recipe.container.iter().filter_map(boot::local_id_note) {
        print(&line);
    }
    Ok(ExitCode::Success)
}
