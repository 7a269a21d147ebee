//! Whether a doc comment says more than the name that it stands above.

/// Words that carry no meaning of their own.
const STOP_WORDS: &str = "a an the its it is of in on at for to by as from with and or this that these those their them they which what who how \
                          when where be been are was were has have had do does one ones all each any own here there so if not no yes only just \
                          very same other also whether";

/// At most so many words say no more than a name does, unless there is a figure or code among them.
const FEW_WORDS: usize = 3;

/// Doc comments of one line that say nothing: the index of the line, and the text.
pub(super) fn empty_lines<'t>(lines: &'t [&'t str]) -> impl Iterator<Item = (usize, &'t str)> {
    let is_doc = |index: usize| lines.get(index).is_some_and(|line| doc_text(line).is_some());
    let single = (0..lines.len()).filter(move |&index| is_doc(index) && !is_doc(index + 1) && (index == 0 || !is_doc(index - 1)));
    single.filter_map(|index| {
        let text = doc_text(lines[index])?;
        is_empty(text, item_after(&lines[index + 1..])).then_some((index, text))
    })
}

fn doc_text(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("///").map(str::trim)
}

/// The first line below the attributes.
fn item_after<'t>(lines: &[&'t str]) -> &'t str {
    let mut lines = lines.iter().map(|line| line.trim());
    while let Some(line) = lines.next() {
        if !line.starts_with("#[") {
            return line;
        }
        // An attribute of several lines ends where one of them closes it.
        if !line.contains(']') {
            lines.find(|line| line.ends_with(']'));
        }
    }
    ""
}

fn is_empty(text: &str, item: &str) -> bool {
    if text.contains('`') {
        return false;
    }
    let has_figure = text.contains(|c: char| c.is_ascii_digit() || c == '=');
    let is_short = text.split_whitespace().count() <= FEW_WORDS && !has_figure;
    let names = item_words(item);
    is_short || words(text).iter().all(|word| is_stop_word(word) || names.iter().any(|name| is_same(word, name)))
}

fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.split_whitespace().any(|stop| stop == word)
}

/// The words of what is declared: of a function those of its name, of anything else those of its type or value too.
fn item_words(item: &str) -> Vec<String> {
    let is_function = item.split_whitespace().any(|word| word == "fn");
    words(if is_function { item.split(['=', '{', '(']).next().unwrap_or(item) } else { item })
}

/// Whether two words are the same but for their endings: `chunk` and `chunks`, `decode` and `decoding`.
fn is_same(one: &str, other: &str) -> bool {
    let shorter = one.len().min(other.len());
    let stem = shorter.saturating_sub(3).max(4);
    one == other || (shorter >= 4 && one.as_bytes()[..stem] == other.as_bytes()[..stem])
}

/// The words of prose and of names, in lower case: `HttpEndpoint` and `http_endpoint` have two.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let chars: Vec<char> = part.chars().collect();
        let begins = |index: usize| {
            let (kind, before) = (CharKind::of(chars[index]), CharKind::of(chars[index - 1]));
            let ends_acronym = kind == CharKind::Upper && chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
            kind != before && (kind, before) != (CharKind::Lower, CharKind::Upper) || ends_acronym
        };
        for (index, c) in chars.iter().enumerate() {
            if index == 0 || begins(index) {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(c.to_ascii_lowercase());
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CharKind {
    Upper,
    Lower,
    Digit,
}

impl CharKind {
    fn of(c: char) -> Self {
        if c.is_ascii_digit() {
            Self::Digit
        } else if c.is_ascii_uppercase() {
            Self::Upper
        } else {
            Self::Lower
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        for (text, expected) in [
            ("HttpEndpoint", "http endpoint"),
            ("HTTPServer", "http server"),
            ("ttft_p95_ns", "ttft p 95 ns"),
            ("a1B", "a 1 b"),
            ("TTFT", "ttft"),
            ("The server's words.", "the server s words"),
            ("Σ x", "x"),
            ("", ""),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn doc_that_repeats_its_name_is_empty() {
        for (doc, item) in [
            ("Its name.", "pub name: String,"),
            ("The trial's name.", "trial: String,"),
            ("Bytes of all weights.", "pub fn weight_bytes(&self) -> f64 {"),
            ("Tokens in each chunk.", "pub tokens_per_chunk: u32,"),
            ("Prompt tokens of each of the requests.", "pub requests: Vec<PromptTokens>,"),
            ("When.", "pub now_ns: u64,"),
            ("The operating system.", "System {"),
        ] {
            assert!(is_empty(doc, item), "{doc} {item}");
        }
    }

    #[test]
    fn doc_that_says_more_than_its_name_is_not_empty() {
        for (doc, item) in [
            ("Requests per second, as configured.", "pub rate_per_s: f64,"),
            ("Absent in attach mode.", "pub container: Option<String>,"),
            ("In [`Params`].", "pub cost: Cost,"),
            ("At least 1.", "pub prompt_tokens: u32,"),
            ("Faults, as kind=probability", "fault: Rates,"),
            // The words of parameters are not those of the function's name.
            ("Reads the tokens of a request again.", "fn read(tokens: u32, request: &Request) {"),
        ] {
            assert!(!is_empty(doc, item), "{doc} {item}");
        }
    }

    #[test]
    fn single_doc_line_is_compared_with_the_item_below_its_attributes() {
        let found = |text: &str| {
            let lines: Vec<_> = text.lines().collect();
            empty_lines(&lines).map(|(index, doc)| format!("{index} {doc}")).collect::<Vec<_>>()
        };
        assert_eq!(
            found("/// All of its requests.\n#[serde(default)]\n#[must_use]\npub requests: u32,"),
            ["0 All of its requests."]
        );
        assert_eq!(
            found("#[error(\n    \"x\",\n)]\n/// The trial of its load.\n#[error(\n    \"{trial}\"\n)]\nTrialLoad,").len(),
            1
        );
        assert_eq!(found("    /// The name.\n    /// Given by recipes, in lower case.\n    name: String,"), [""; 0]);
        assert_eq!(found("/// The name.\n\n/// The name.").len(), 2, "at the end of a file too");
        assert_eq!(found("//! The name.\n// The name.\nname: String,"), [""; 0]);
    }
}
