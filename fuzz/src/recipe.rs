//! A recipe's text.

use record::{
    Recipe,
    recipe::{RecipeError, parse},
};

/// What is accepted is accepted again once it was written, as TOML and as the JSON of a record's header, and is the same. What is refused
/// names the file.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A recipe must bear the name of its file, so its own is asked for first.
    let name = toml::from_str::<Recipe>(text).map(|recipe| recipe.name).unwrap_or_default();
    match parse(text, "a.toml", &name) {
        Ok(recipe) => {
            let written = toml::to_string(&recipe).expect("a recipe can be written");
            assert_eq!(parse(&written, "a.toml", &name).as_ref(), Ok(&recipe), "as TOML: {written}");
            let written = serde_json::to_string(&recipe).expect("a recipe can be written");
            let again: Recipe = serde_json::from_str(&written).expect("what was written is read");
            assert_eq!(again, recipe, "as JSON: {written}");
            // Whether it is pinned is asked of every recipe.
            let _ = recipe.unpinned();
        }
        Err(RecipeError::Syntax { path, why } | RecipeError::Contradiction { path, why }) => {
            assert_eq!(path, "a.toml");
            assert!(!why.is_empty(), "refused without a reason");
        }
        Err(other) => panic!("a text cannot be {other:?}"),
    }
}
