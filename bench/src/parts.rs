//! Parts that a build may lack, since they take longer to build than the rest.

use record::{Recipe, RunRequest, Target};

use crate::BenchError;

/// Refuses what this build cannot do, before anything is started.
pub fn check_parts(request: &RunRequest) -> Result<(), BenchError> {
    let recipes = || std::iter::once(&request.target).chain(&request.against).filter_map(Target::recipe);
    if let Some(recipe) = recipes().find(|recipe| recipe.container.is_some())
        && !cfg!(feature = "container")
    {
        return Err(no_containers(recipe));
    }
    if cfg!(feature = "tokenizer") {
        return Ok(());
    }
    let named = request.tokenizer.as_ref().map(|path| format!("{} is a tokenizer", path.display()));
    let of_recipe = || {
        let recipe = recipes().find(|recipe| recipe.model.tokenizer.is_some())?;
        Some(format!("recipe `{}` names a tokenizer", recipe.name))
    };
    match named.or_else(of_recipe) {
        Some(what) => Err(BenchError::NotBuiltIn { what, does: "reads one" }),
        None => Ok(()),
    }
}

/// What is said of a recipe that boots a container.
pub(crate) fn no_containers(recipe: &Recipe) -> BenchError {
    BenchError::NotBuiltIn { what: format!("recipe `{}` boots a container", recipe.name), does: "speaks to Docker" }
}
