//! Recognises secrets by their names: one rule for what a recipe may not hold, what an import leaves out, and what is redacted from a log.

/// How the name of a secret ends. It may be glued to what stands before it: `HFTOKEN`.
const ENDINGS: [&str; 12] = [
    "TOKEN",
    "KEY",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASSCODE",
    "PASS",
    "PWD",
    "CREDENTIAL",
    "CRED",
    "AUTHORIZATION",
];

/// Endings that other words have as well, so that they must be a word of their own behind another: `GITHUB_PAT`, but not `COMPAT`.
const WHOLE_WORDS: [&str; 2] = ["PAT", "JWT"];

/// Words that happen to end so.
const OTHER_WORDS: [&str; 13] = [
    "BYPASS",
    "COMPASS",
    "DONKEY",
    "ENCOMPASS",
    "HOCKEY",
    "HOTKEY",
    "JOCKEY",
    "MONKEY",
    "SACRED",
    "SURPASS",
    "TURKEY",
    "UNDERPASS",
    "WHISKEY",
];

/// The shell's own, which name folders.
const FOLDERS: [&str; 2] = ["PWD", "OLDPWD"];

/// Words before `TOKENS` that make it the name of a secret. Otherwise it is a count: `MAX_TOKENS`.
const OPENERS: [&str; 4] = ["API", "ACCESS", "AUTH", "REFRESH"];

/// Short flags for a key, whose names say nothing: llama.cpp's for `--hf-token`.
const SHORT_FLAGS: [&str; 1] = ["-hft"];

/// Whether a variable or a flag of that name holds a secret.
///
/// Its last word decides, whatever its case and the number behind it: `HF_TOKEN`, `hfToken` and `API_KEY_2` are secrets; `HF_TOKEN_PATH`
/// and `AWS_ACCESS_KEY_ID` say where or whose one is, `TOKENIZERS_PARALLELISM` and `MAX_TOKENS` have nothing to do with any.
///
/// Where a name leaves it open, it is one. A secret that is missed stays in a log or a public record; a variable that is wrongly taken for
/// one (`STOP_TOKEN`) can still be given, by its name in a recipe's `secrets` and its value around the run.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let name = name.trim_end_matches(|end: char| !end.is_ascii_alphabetic());
    let mut words = name.rsplit(|between: char| !between.is_ascii_alphanumeric());
    let last = words.next().unwrap_or_default();
    let before = words.next();
    if let Some(opener) = last.strip_suffix("TOKENS") {
        let opener = if opener.is_empty() { before.unwrap_or_default() } else { opener };
        return OPENERS.iter().any(|known| opener.ends_with(known));
    }
    let singular = last.strip_suffix('S').unwrap_or(last);
    let is_any = |known: &[&str]| known.contains(&last) || known.contains(&singular);
    if FOLDERS.contains(&name) || is_any(&OTHER_WORDS) {
        return false;
    }
    let ends = ENDINGS.iter().any(|ending| last.ends_with(ending) || singular.ends_with(ending));
    ends || before.is_some() && is_any(&WHOLE_WORDS)
}

/// The first word of a command that gives a secret's value for anyone to see: a flag with the value behind it or behind its `=`, or a
/// variable that is set.
#[must_use]
pub fn exposed_secret<'a>(words: &[&'a str]) -> Option<&'a str> {
    let (mut words, mut given) = (words.iter().copied().peekable(), None);
    while let (Some(word), None) = (words.next(), given) {
        given = match word.split_once('=') {
            Some((name, _)) => Some(name).filter(|name| is_flag(name) || is_variable_name(name) && is_secret_name(name)),
            None => Some(word).filter(|flag| is_flag(flag) && words.peek().is_some_and(|value| !value.starts_with("--"))),
        };
    }
    given
}

fn is_flag(word: &str) -> bool {
    SHORT_FLAGS.contains(&word) || word.starts_with("--") && is_secret_name(word)
}

/// Whether an environment's variable can be called so.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_are_recognised() {
        let secrets = "HF_TOKEN HFTOKEN hf_token hfToken HUGGING_FACE_HUB_TOKEN API_TOKENS AUTHTOKENS HF_TOKEN_2 TOKEN1 TOKEN \
            X_API_KEY NGC_API_KEY OPENAI_API_KEYS OPENAIKEY apiKey KEY AWS_SECRET_ACCESS_KEY SSH_PRIVATE_KEY api-key x-api-key \
            CLIENT_SECRET SECRETS PASSWORD PGPASSWORD DB_PASSWD SMTP_PASS SSHPASS MYSQL_PWD GPG_PASSPHRASE \
            AWS_CREDENTIALS GOOGLE_APPLICATION_CREDENTIALS CREDS GITHUB_PAT SESSION_JWT PROXY_AUTHORIZATION";
        let others = "TOKENIZERS_PARALLELISM MAX_TOKENS VLLM_MAX_NUM_BATCHED_TOKENS MAX_NUM_TOKENS_2048 max-num-batched-tokens \
            HF_TOKEN_PATH PASSWORD_FILE ssl-key-file ssl-keyfile AWS_ACCESS_KEY_ID AWS_REGION \
            KEYBOARD MONKEY MONKEYS HOTKEYS KEYS_DIR BYPASS CUDA_DEVICE_ORDER CUDA_VISIBLE_DEVICES NCCL_COMPASS PWD OLDPWD PATH COMPAT \
            VLLM_COMPAT PAT JWT_ISSUER VLLM_USE_V1 OMP_NUM_THREADS HF_HOME 64 _";
        let wrong: Vec<_> = secrets.split_whitespace().filter(|name| !is_secret_name(name)).collect();
        assert_eq!(wrong, [""; 0], "secrets that are missed");
        let wrong: Vec<_> = others.split_whitespace().filter(|name| is_secret_name(name)).collect();
        assert_eq!(wrong, [""; 0], "taken for secrets");
        assert!(!is_secret_name(""));
    }

    #[test]
    fn secret_in_command_is_found_by_flag_or_variable() {
        let given = |command: &str| exposed_secret(&command.split(' ').collect::<Vec<_>>()).map(str::to_owned);
        for (command, by) in [
            ("vllm serve m --api-key abc", "--api-key"),
            ("vllm serve m --port 1 --hf_token=abc", "--hf_token"),
            ("llama-server -hft abc", "-hft"),
            ("env HF_TOKEN=abc vllm serve m", "HF_TOKEN"),
        ] {
            assert_eq!(given(command).as_deref(), Some(by), "{command}");
        }
        for command in [
            "vllm serve m --hf-token --port 1",
            "vllm serve m --max-num-batched-tokens 8192 --api-key",
            "llama-server --override-kv tokenizer.ggml.add_bos_token=bool:false",
        ] {
            assert_eq!(given(command), None, "{command}");
        }
    }
}
