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

#[derive(Debug, Subcommand)]
pub(crate) enum RecipeVerb {
    /// List all recipes: engine, model, pinned or not
    List,
    /// Print a recipe in full and the command that it runs
    Show {
        /// Recipe: a name from `recipe list`, or a TOML file
        name: String,
    },
    /// Find mistakes in recipes, and settings that would spoil a measurement
    Check {
        /// Recipes: names from `recipe list`, or TOML files; without any, all are checked
        names: Vec<String>,
    },
    /// Write the image's digest and the model's commit into a recipe
    ///
    /// Both are those that are on this machine. A pinned recipe boots the same engine every time; standard and full runs require it.
    Pin {
        /// Recipe: a name from `recipe list`, or a TOML file
        name: String,
    },
    /// Begin a recipe of your own as a copy of another
    New(new::NewArgs),
    /// Convert a sparkrun or Spark Arena recipe (YAML, version 1 or 2)
    Import(import::ImportArgs),
}

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
