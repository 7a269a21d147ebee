//! `${NAME}` in recipes: a closed list of names, each with a value, none left unresolved.

use std::path::{Path, PathBuf};

/// What placeholders stand for.
#[derive(Debug, Clone)]
pub struct Placeholders {
    /// `${RECIPES}`: the folder of the recipe's file.
    pub recipes: PathBuf,
    /// `${TESTBED}`: the testbed's folder, where there is one.
    pub testbed: Option<PathBuf>,
    /// `${PORT}`: known once the engine is about to start.
    pub port: Option<u16>,
}

impl Placeholders {
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
                    .ok_or_else(|| "it needs the testbed, which is not there: `cargo xtask testbed` prepares it".to_owned())
            }
            "PORT" => self.port.map(|port| port.to_string()).ok_or_else(|| "`${PORT}` has no value here".to_owned()),
            _ => Err(format!("unknown placeholder `${{{name}}}`; known are ${{PORT}}, ${{RECIPES}} and ${{TESTBED}}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_every_placeholder_or_says_which_it_cannot() {
        let with =
            |testbed: Option<&str>| Placeholders { recipes: "/r".into(), testbed: testbed.map(PathBuf::from), port: Some(8001) };
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
    }
}
