//! `${NAME}` in recipes: a closed list of names, each with a value, none left unresolved.

use std::path::{Path, PathBuf};

use record::recipe;

/// The values of placeholders.
#[derive(Debug, Clone, Default)]
pub struct Placeholders {
    /// `${RECIPES}`: the folder of the recipe's file.
    pub recipes: PathBuf,
    /// `${TESTBED}`: the testbed's folder, where there is one.
    pub testbed: Option<PathBuf>,
    /// `${PORT}`: known once the engine is about to start.
    pub port: Option<u16>,
    /// `${HF_CACHE}`: the Hugging Face cache, the folder that holds `hub`, where one is known.
    pub hf_cache: Option<PathBuf>,
    /// `${CACHE}`: our own cache folder, where one is known.
    pub cache: Option<PathBuf>,
    /// `${MODEL}`: the recipe's model source. An engine sets it from its recipe.
    pub model: String,
    /// `${REVISION}`: the recipe's model revision, `main` where it has none. An engine sets it from its recipe.
    pub revision: String,
}

/// Every name that may stand between `${` and `}`.
pub const KNOWN: [&str; 7] = ["PORT", "MODEL", "REVISION", "RECIPES", "TESTBED", "HF_CACHE", "CACHE"];

impl Placeholders {
    /// The same, for a recipe's model.
    #[must_use]
    pub fn for_model(self, model: &recipe::Model) -> Self {
        let revision = if model.revision.is_empty() { "main" } else { &model.revision };
        Self { model: model.source.clone(), revision: revision.to_owned(), ..self }
    }

    /// Fills in only what may be shown to anyone: the port and the model. Where a machine keeps its folders is private.
    #[must_use]
    pub fn fill_public(&self, text: &str) -> String {
        let shown = |text: String, name: &str| match self.value(name) {
            Ok(value) => text.replace(&format!("${{{name}}}"), &value),
            Err(_) => text,
        };
        ["PORT", "MODEL", "REVISION"].into_iter().fold(text.to_owned(), shown)
    }

    /// Fills in every placeholder of `text`. The error says which one cannot be filled in, and what to do.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, tail)) = after.split_once('}') else {
                return Err(format!("`{text}` has a `${{` without its `}}`"));
            };
            filled.push_str(before);
            filled.push_str(&self.value(name)?);
            rest = tail;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn value(&self, name: &str) -> Result<String, String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        match name {
            "RECIPES" => Ok(path(&self.recipes)),
            "TESTBED" => {
                let testbed = self.testbed.as_deref().filter(|folder| folder.is_dir());
                testbed
                    .map(path)
                    .ok_or_else(|| "it needs the testbed, which does not exist: `cargo xtask testbed` prepares it".to_owned())
            }
            "PORT" => self.port.map(|port| port.to_string()).ok_or_else(|| "`${PORT}` has no value here".to_owned()),
            "HF_CACHE" => {
                self.hf_cache.as_deref().map(path).ok_or_else(|| {
                    "it needs the Hugging Face cache, and no folder is known for it: set HF_HOME, or HOME".to_owned()
                })
            }
            "CACHE" => self
                .cache
                .as_deref()
                .map(path)
                .ok_or_else(|| "it needs a cache folder, and none is known: set XDG_CACHE_HOME, or HOME".to_owned()),
            "MODEL" if self.model.is_empty() => Err("`${MODEL}` has no value: [model] has no `source`".to_owned()),
            "MODEL" => Ok(self.model.clone()),
            "REVISION" if self.revision.is_empty() => Ok("main".to_owned()),
            "REVISION" => Ok(self.revision.clone()),
            _ => {
                let known = KNOWN.map(|name| format!("${{{name}}}")).join(", ");
                Err(format!("unknown placeholder `${{{name}}}`; known are {known}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_or_named_in_the_error() {
        let with = |testbed: Option<&str>| Placeholders {
            recipes: "/r".into(),
            testbed: testbed.map(PathBuf::from),
            port: Some(8001),
            ..Placeholders::default()
        };
        let check = |placeholders: &Placeholders, text: &str, expected: Result<&str, &str>| {
            let filled = placeholders.fill(text);
            match expected {
                Ok(expected) => assert_eq!(filled.as_deref(), Ok(expected)),
                Err(part) => assert!(filled.as_ref().is_err_and(|error| error.contains(part)), "{filled:?}"),
            }
        };
        check(&with(None), "--port=${PORT} ${RECIPES}/x", Ok("--port=8001 /r/x"));
        check(&with(Some("/")), "${TESTBED}bin", Ok("/bin"));
        check(&with(None), "${TESTBED}/bin", Err("cargo xtask testbed"));
        check(&with(None), "${HOME}", Err("unknown placeholder `${HOME}`"));
        check(&with(None), "${PORT", Err("without its"));
        check(&with(None), "$PORT {PORT}", Ok("$PORT {PORT}"));
        check(&with(None), "${HF_CACHE}/hub", Err("set HF_HOME"));
        check(&with(None), "${CACHE}/x", Err("set XDG_CACHE_HOME"));
        check(&with(None), "${MODEL}", Err("no `source`"));
        let full = Placeholders { hf_cache: Some("/hf".into()), cache: Some("/c".into()), ..with(None) };
        check(&full, "${HF_CACHE}:${CACHE}/ollama", Ok("/hf:/c/ollama"));
    }

    #[test]
    fn model_fills_its_source_and_revision() {
        let model = |revision: &str| recipe::Model {
            id: "m".to_owned(),
            source: "owner/name".to_owned(),
            revision: revision.to_owned(),
            tokenizer: None,
            max_context: None,
        };
        let with = |revision| Placeholders { port: Some(8000), ..Placeholders::default() }.for_model(&model(revision));
        assert_eq!(with("").fill("${MODEL}@${REVISION}").as_deref(), Ok("owner/name@main"));
        assert_eq!(with("abc").fill("${MODEL}@${REVISION}").as_deref(), Ok("owner/name@abc"));
        assert_eq!(with("abc").fill_public("${PORT} ${MODEL} ${REVISION} ${RECIPES}/x"), "8000 owner/name abc ${RECIPES}/x");
    }

    #[test]
    fn known_placeholders_are_all_accepted() {
        for name in KNOWN {
            let filled = Placeholders::default().fill(&format!("${{{name}}}"));
            assert!(!filled.is_err_and(|why| why.contains("unknown")), "{name}");
        }
    }
}
