//! `recipe list`.

use record::ExitCode;

use crate::{print, recipe_store::RecipeStore, say};

/// Prints a line for each recipe.
pub(crate) fn run() -> ExitCode {
    let mut rows = vec![["recipe", "engine", "launch", "model", "pinned", "description"].map(str::to_owned)];
    let mut code = ExitCode::Success;
    for loaded in RecipeStore::open().all() {
        match loaded {
            Ok(stored) => {
                let recipe = stored.recipe;
                let pinned = match (&recipe.container, recipe.unpinned().is_empty()) {
                    (None, _) => "-",
                    (Some(_), true) => "yes",
                    (Some(_), false) => "no",
                };
                rows.push([
                    recipe.name.clone(),
                    recipe.engine.to_string(),
                    recipe.launch().to_string(),
                    recipe.model.id.clone(),
                    pinned.to_owned(),
                    recipe.description.clone(),
                ]);
            }
            Err(error) => {
                say(&error.to_string());
                code = ExitCode::Usage;
            }
        }
    }
    for line in columns(&rows) {
        print(&line);
    }
    code
}

/// Pads all columns but the last.
fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let widths: [usize; N] = std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["a", "long", "x"], ["longer", "b", "of no width"]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows), ["a       long  x", "longer  b     of no width"]);
    }
}
