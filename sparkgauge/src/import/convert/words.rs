//! Texts of a foreign recipe as a comment line, a file name or a number.

use super::{super::arguments::Arguments, ImportError};

/// Flags for the tokens that one request may have.
pub(super) const CONTEXT: [&str; 4] = ["--max-model-len", "--context-length", "--max_seq_len", "--max-seq-len"];
/// Flags for how many requests run at once.
pub(super) const AT_ONCE: [&str; 4] = ["--max-num-seqs", "--max-running-requests", "--parallel", "--max_batch_size"];
/// Where the hub's cache is mounted.
pub(super) const HUB_CACHE: &str = concat!("/ro", "ot/.cache/huggingface");
/// What a comment keeps of a foreign text.
const LINE_CHARS_MAX: usize = 300;

/// One line that a person sees as it is: whatever breaks a line or turns its direction becomes a space.
pub(super) fn line(text: &str) -> String {
    let turns = |one: char| matches!(one, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let flat: String = text.chars().map(|one| if one.is_control() || turns(one) { ' ' } else { one }).collect();
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= LINE_CHARS_MAX {
        flat
    } else {
        flat.chars().take(LINE_CHARS_MAX - 3).chain("...".chars()).collect()
    }
}

/// A message that may quote a foreign text, without what would steer a terminal.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|one| *one == '\n' || !one.is_control()).collect()
}

/// The new recipe's name: the requested one, else made of the file's. It becomes a file name, so it must not be a path.
pub(crate) fn name(requested: Option<&str>, file: &str) -> Result<String, String> {
    let allowed_one = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '_';
    if let Some(name) = requested {
        let allowed = !name.is_empty() && name.len() <= 100 && !name.starts_with('-') && name.chars().all(allowed_one);
        return if allowed {
            Ok(name.to_owned())
        } else {
            Err(format!("--out `{}`: a name has letters, digits, `-` and `_`", line(name)))
        };
    }
    let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).unwrap_or(file);
    let name: String = stem.chars().take(100).map(|one| if allowed_one(one) { one.to_ascii_lowercase() } else { '-' }).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { Err("no name can be made of the file's; give one with --out".to_owned()) } else { Ok(name.to_owned()) }
}

pub(super) fn number(arguments: &Arguments, flags: &[&str]) -> Option<u32> {
    arguments.value(flags)?.parse().ok()
}

/// Values that look like files of the author's own image or machine. The model's cache is mounted, so what lies there is none.
pub(super) fn files(arguments: &Arguments) -> impl Iterator<Item = &str> {
    let value = |word: &'_ String| match word.split_once('=') {
        Some((flag, _)) if flag.starts_with('-') => flag.len() + 1,
        _ => 0,
    };
    let values = arguments.0.iter().map(move |word| &word[value(word)..]);
    values.filter(|value| {
        let begins = ["/", "./", "../", "~/"].iter().any(|begin| value.starts_with(begin));
        let ends = [".jinja", ".yml", ".yaml"].iter().any(|end| value.ends_with(end));
        (begins || ends && !value.starts_with('-')) && !value.starts_with(HUB_CACHE)
    })
}

/// Docker's notation of a size, in MiB, rounded up: `16g`, `10.24gb`, or bytes.
pub(super) fn size_mib(text: &str) -> Result<u32, ImportError> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let mib = match unit.trim() {
        "" | "b" => 1.0 / 1_048_576.0,
        "k" | "kb" | "kib" => 1.0 / 1024.0,
        "m" | "mb" | "mib" => 1.0,
        "g" | "gb" | "gib" => 1024.0,
        _ => f64::NAN,
    };
    let size = number.parse::<f64>().unwrap_or(f64::NAN) * mib;
    if !(size > 0.0 && size <= 1_048_576.0) {
        return Err(ImportError::Refused(format!("executor_config `shm_size` is `{}`, not a size such as `16g`", line(&text))));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was just found to lie between 0 and 2^20")]
    Ok(size.ceil() as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn recipe_names_cannot_be_paths() {
        let check = |requested: Option<&str>, file: &str, expected: Result<&str, &str>| match (name(requested, file), expected) {
            (Ok(name), Ok(expected)) => assert_eq!(name, expected),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (name, _) => panic!("{file}: {name:?}"),
        };
        check(None, "Qwen3.6-27b-fp8.yaml", Ok("qwen3-6-27b-fp8"));
        check(None, "../../x.yml", Ok("x"));
        check(None, "...", Err("--out"));
        check(Some("mine_1"), "", Ok("mine_1"));
        check(Some("../mine"), "", Err("letters, digits"));
        check(Some("a.toml"), "", Err("letters, digits"));
        check(Some("-x"), "", Err("letters, digits"));
        check(Some(""), "", Err("letters, digits"));
    }

    #[test]
    fn sizes_are_parsed_like_docker_does() {
        let check = |text: &str, expected: Option<u32>| assert_eq!(size_mib(text).ok(), expected, "{text}");
        check("16g", Some(16384));
        check("10.24gb", Some(10486));
        check("64M", Some(64));
        check("1048577", Some(2));
        check("", None);
        check("g", None);
        check("-1g", None);
        check("1e9g", None);
        check("99999999g", None);
    }

    #[test]
    fn local_files_in_arguments_are_found() {
        let words =
            ["m", "--chat-template", "./x.jinja", "--config=/tmp/a", "--y", "b.yml", "--z", "{\"a\": \"/b\"}", "a/b", HUB_CACHE];
        let arguments = Arguments(words.map(str::to_owned).to_vec());
        assert_eq!(files(&arguments).collect::<Vec<_>>(), ["./x.jinja", "/tmp/a", "b.yml"]);
    }

    proptest! {
        #[test]
        fn line_has_no_control_characters_and_is_bounded(text in any::<String>()) {
            let line = line(&text);
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert!(line.chars().count() <= LINE_CHARS_MAX);
        }
    }
}
