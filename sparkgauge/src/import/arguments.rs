//! A foreign command line: taken apart as a shell would, without one.

use record::{EngineName, secret_name::is_variable_name};

use super::convert::ImportError;

/// A server's command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CommandLine {
    /// The engine that the program is.
    pub(super) engine: EngineName,
    /// Variables that are set for it alone, in front of it.
    pub(super) env: Vec<(String, String)>,
    /// The program, e.g. `vllm serve`.
    pub(super) program: Vec<String>,
    pub(super) arguments: Arguments,
}

/// Arguments, with flags as `--flag value` or `--flag=value`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments(pub(super) Vec<String>);

/// How each engine's server is started.
const PROGRAMS: [(EngineName, &[&str]); 8] = [
    (EngineName::Vllm, &["vllm", "serve"]),
    (EngineName::Vllm, &["python3", "-m", "vllm.entrypoints.openai.api_server"]),
    (EngineName::Sglang, &["python3", "-m", "sglang.launch_server"]),
    (EngineName::Sglang, &["sglang", "serve"]),
    (EngineName::Llamacpp, &["llama-server"]),
    (EngineName::Trtllm, &["trtllm-serve", "serve"]),
    (EngineName::Trtllm, &["trtllm-serve"]),
    (EngineName::Ollama, &["ollama", "serve"]),
];

/// Words that only a shell understands.
const SHELL: [&str; 11] = ["&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1", "(", ")"];

impl CommandLine {
    /// Takes a command apart.
    pub(super) fn read(text: &str) -> Result<Self, ImportError> {
        let mut words = split_command(text)?;
        if let Some(word) = words.iter().find(|word| word.contains(['$', '`', '\0'])) {
            return Err(ImportError::Refused(format!(
                "`command` has `{word}`, which a shell would expand; nothing of this machine goes into a recipe: write the value"
            )));
        }
        if let Some(word) = words.iter().find(|word| SHELL.contains(&word.as_str()) || word.ends_with(';')) {
            return Err(ImportError::Refused(format!(
                "`command` has `{word}`, so it is a shell's script; write the server's command alone"
            )));
        }
        let mut env = Vec::new();
        while let Some((name, value)) =
            words.first().and_then(|word| word.split_once('=')).filter(|(name, _)| is_variable_name(name))
        {
            env.push((name.to_owned(), value.to_owned()));
            words.remove(0);
        }
        if words.first().is_some_and(|word| word == "exec") {
            words.remove(0);
        }
        let known = PROGRAMS.iter().find(|(_, program)| starts_with(&words, program));
        let (engine, program) = known.ok_or_else(|| {
            let known: Vec<_> = PROGRAMS.iter().map(|(_, program)| format!("`{}`", program.join(" "))).collect();
            let shown: Vec<_> = words.iter().take(3).map(String::as_str).collect();
            ImportError::Refused(format!("`command` begins with `{}`, not with one of {}", shown.join(" "), known.join(", ")))
        })?;
        let arguments = words.split_off(program.len());
        Ok(Self { engine: *engine, env, program: words, arguments: Arguments(arguments) })
    }
}

/// The program may be named with its folder, and Python with or without its version.
fn starts_with(words: &[String], program: &[&str]) -> bool {
    words.len() >= program.len()
        && words.iter().zip(program).enumerate().all(|(at, (word, wanted))| {
            let word = if at == 0 { word.rsplit('/').next().unwrap_or_default() } else { word };
            word == *wanted || (*wanted == "python3" && word == "python")
        })
}

/// Lines that end in a backslash go on, and so does a quotation; anything else in a second line would be a second command.
fn split_command(text: &str) -> Result<Vec<String>, ImportError> {
    let joined = text.replace("\r\n", "\n").replace("\\\n", " ");
    let mut commands = Vec::new();
    let mut open = String::new();
    for line in joined.lines() {
        open.push_str(line);
        match shlex::split(&open) {
            Some(words) => {
                commands.extend(Some(words).filter(|words| !words.is_empty()));
                open.clear();
            }
            None => open.push('\n'),
        }
    }
    match (commands.len(), open.is_empty()) {
        (_, false) => Err(ImportError::Refused("`command` has a quotation mark without its other one".to_owned())),
        (0, true) => Err(ImportError::Refused("`command` is empty".to_owned())),
        (1, true) => Ok(commands.remove(0)),
        (many, true) => Err(ImportError::Refused(format!(
            "`command` holds {many} commands; write the server's alone, and end lines that go on with a backslash"
        ))),
    }
}

impl Arguments {
    fn position(&self, flag: &str) -> Option<usize> {
        self.0.iter().rposition(|word| word.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
    }

    /// The value of the first of these flags that there is; of several uses the last, as servers take it.
    pub(super) fn value(&self, flags: &[&str]) -> Option<&str> {
        let at = flags.iter().find_map(|flag| self.position(flag))?;
        match self.0[at].split_once('=') {
            Some((_, value)) => Some(value),
            None => self.0.get(at + 1).map(String::as_str),
        }
    }

    /// Gives a flag this value, whatever it had.
    pub(super) fn set(&mut self, flag: &str, value: &str) {
        while let Some(at) = self.position(flag) {
            let with_value = !self.0[at].contains('=') && at + 1 < self.0.len();
            self.0.drain(at..=at + usize::from(with_value));
        }
        self.0.extend([flag.to_owned(), value.to_owned()]);
    }

    /// Takes every use of a flag that has no value away, and gives them.
    pub(super) fn take(&mut self, flag: &str) -> Vec<String> {
        let mut taken = Vec::new();
        while let Some(at) = self.position(flag) {
            taken.push(self.0.remove(at));
        }
        taken
    }

    /// Replaces a value wherever it stands, alone or behind `--flag=`.
    pub(super) fn replace(&mut self, value: &str, by: &str) {
        for word in &mut self.0 {
            if word == value {
                by.clone_into(word);
            } else if let Some(flag) = word.strip_suffix(value).filter(|flag| flag.starts_with('-') && flag.ends_with('=')) {
                *word = format!("{flag}{by}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let read = CommandLine::read(text).unwrap();
        read.program.into_iter().chain(["|".to_owned()]).chain(read.arguments.0).collect()
    }

    #[test]
    fn command_is_split_like_a_shell_does() {
        assert_eq!(words("vllm serve m \\\n  --port 1 \\\n  -tp 2\n"), ["vllm", "serve", "|", "m", "--port", "1", "-tp", "2"]);
        assert_eq!(words("/app/llama-server -hf 'a b'"), ["/app/llama-server", "|", "-hf", "a b"]);
        assert_eq!(words("A=1 exec vllm serve '{\"a\": 1}'\n# end\n"), ["vllm", "serve", "|", "{\"a\": 1}"]);
        assert_eq!(
            words("python -m sglang.launch_server --x=\"y\nz\""),
            ["python", "-m", "sglang.launch_server", "|", "--x=y\nz"]
        );
    }

    #[test]
    fn command_that_needs_a_shell_is_refused() {
        let check = |text: &str, part: &str| {
            let error = CommandLine::read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        };
        check("vllm serve $MODEL", "`$MODEL`");
        check("vllm serve ${HF_CACHE}", "which a shell would expand");
        check("pip install x && vllm serve m", "`&&`");
        check("pip install x\nvllm serve m", "2 commands");
        check("bash -c 'vllm serve m'", "begins with `bash -c vllm serve m`");
        check("vllm serve 'm", "quotation mark");
        check(" \n", "is empty");
    }

    #[test]
    fn flags_are_found_with_space_or_equals_sign() {
        let mut arguments =
            Arguments(["--port", "1", "--host=x", "--port=2", "-x", "m", "--model=m"].map(str::to_owned).to_vec());
        assert_eq!((arguments.value(&["--port"]), arguments.value(&["--none", "--host"])), (Some("2"), Some("x")));
        arguments.set("--port", "3");
        arguments.replace("m", "M");
        assert_eq!(arguments.0, ["--host=x", "-x", "M", "--model=M", "--port", "3"]);
        assert_eq!(arguments.take("-x"), ["-x"]);
        assert_eq!(arguments.take("-x"), [""; 0]);
    }
}
