//! A command as a page shows it.

/// What a command needs that a test machine may lack: the words after `needs` in its comment or in its block's info string.
const NEEDS: [(&str, Needs); 4] =
    [("hardware", Needs::Hardware), ("network", Needs::Network), ("docker", Needs::Docker), ("the testbed", Needs::Testbed)];

/// Commands that no test runs, by their first words, each with the reason.
pub(super) const NOT_RUN: [(&str, &str); 10] = [
    ("cargo xtask testbed", "a step of `cargo xtask ci`; it downloads 3 GB"),
    ("cargo install --path sparkgauge", "it builds for minutes; CI builds the same package"),
    ("cargo bench", "a step of `cargo xtask ci` runs each bench once"),
    ("git clone", "the network, and the address of one's own copy"),
    ("git ls-files", "a pipeline of a shell"),
    ("cd", "the folder of the page's commands is the test's own"),
    ("docker pull", "the network"),
    ("hf download", "the network"),
    ("mkdir -p", "another program"),
    ("curl", "the network"),
];

/// What a command needs that a test machine may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Hardware,
    Network,
    Docker,
    Testbed,
}

/// Which program a command calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// `cargo xtask`, which builds `sparkgauge` and uses the clone's folders.
    Xtask,
    /// `sparkgauge`, installed.
    Installed,
}

/// One command of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageCommand {
    /// Where it stands, as `docs/ci.md:12`.
    pub(super) place: String,
    pub(super) caller: Caller,
    /// The words after the program.
    pub(super) words: Vec<String>,
    pub(super) needs: Option<Needs>,
    /// The exit code that its comment names, else 0.
    pub(super) exit_code: i32,
    /// It ends with `&`: the commands after it use what it serves.
    pub(super) is_background: bool,
}

/// The commands of one line of a block, or what is wrong with it. `info` is the block's info string after its language.
pub(super) fn of_line(place: &str, line: &str, info: &str) -> Result<Vec<PageCommand>, String> {
    let (code, comment) = without_comment(line);
    let needs = needs(comment.unwrap_or_default(), info).map_err(|why| format!("{place}: {why}"))?;
    let exit_code = comment.map_or(Ok(0), exit_code).map_err(|why| format!("{place}: {why}"))?;
    let mut commands = Vec::new();
    for part in code.split(" && ").map(str::trim).filter(|part| !part.is_empty()) {
        if NOT_RUN.iter().any(|(start, _)| part == *start || part.starts_with(&format!("{start} "))) {
            continue;
        }
        let (part, is_background) = part.strip_suffix(" &").map_or((part, false), |part| (part, true));
        let (caller, rest) = if let Some(rest) = part.strip_prefix("cargo xtask ") {
            (Caller::Xtask, rest)
        } else if let Some(rest) = part.strip_prefix("sparkgauge ") {
            (Caller::Installed, rest)
        } else {
            return Err(format!("{place}: `{part}` is neither run by a test nor in the list of commands that are not"));
        };
        let words = words(rest).map_err(|why| format!("{place}: {why}"))?;
        commands.push(PageCommand { place: place.to_owned(), caller, words, needs, exit_code, is_background });
    }
    Ok(commands)
}

/// The command and its comment, which begins with ` # `.
fn without_comment(line: &str) -> (&str, Option<&str>) {
    if let Some(comment) = line.trim_start().strip_prefix('#') {
        return ("", Some(comment.trim()));
    }
    line.split_once(" # ").map_or((line.trim(), None), |(code, comment)| (code.trim(), Some(comment.trim())))
}

fn needs(comment: &str, info: &str) -> Result<Option<Needs>, String> {
    let of_block = info.strip_prefix("needs-").map(|word| word.replace('-', " "));
    let word = comment.strip_prefix("needs ").map(str::to_owned).or(of_block);
    let Some(word) = word else { return Ok(None) };
    let known =
        NEEDS.iter().find(|(name, _)| word.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)));
    known.map(|&(_, needs)| Some(needs)).ok_or_else(|| format!("`needs {word}` is none of {:?}", NEEDS.map(|(name, _)| name)))
}

/// The code after `exit code` in a comment.
fn exit_code(comment: &str) -> Result<i32, String> {
    let Some((_, after)) = comment.split_once("exit code ") else { return Ok(0) };
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map_err(|_| format!("`{comment}` names no exit code"))
}

/// The words of a command. Nothing of a shell but double quotes: a page is read by people who may use another one.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    for (number, part) in text.split('"').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else if let Some(found) = part.find(['|', '>', '<', '$', ';', '*', '\\', '\'', '&']) {
            return Err(format!("`{}` needs a shell: show one plain command a line", &part[found..]));
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    if text.matches('"').count() % 2 == 1 {
        return Err(format!("`{text}` ends within quotes"));
    }
    Ok(words)
}

#[test]
fn a_line_is_read_with_its_comment_and_its_needs() {
    let read = |line: &str, info: &str| of_line("x:1", line, info);
    let one = |line: &str, info: &str| read(line, info).unwrap().remove(0);
    let plain = one("sparkgauge accept runs/a --why \"the first run\"", "");
    assert_eq!(plain.words, ["accept", "runs/a", "--why", "the first run"]);
    assert_eq!((plain.caller, plain.needs, plain.exit_code, plain.is_background), (Caller::Installed, None, 0, false));
    assert_eq!(one("cargo xtask gate b # regressed: exit code 5", "").exit_code, 5);
    assert_eq!(one("cargo xtask bench --engine vllm   # needs hardware: 4 h", "").needs, Some(Needs::Hardware));
    assert_eq!(one("cargo xtask bench --recipe r", "needs-the-testbed").needs, Some(Needs::Testbed));
    assert!(one("sparkgauge sim serve &", "").is_background);
    assert_eq!(read("docker pull a && cargo xtask recipe pin a && cargo xtask clean", "").unwrap().len(), 2);
    assert_eq!(read("# only a comment", "").unwrap(), []);
    for (line, part) in [
        ("make it so", "neither run"),
        ("sparkgauge bench # needs luck", "is none of"),
        ("sparkgauge report runs/a | less", "needs a shell"),
        ("sparkgauge accept a --why \"x", "within quotes"),
        ("sparkgauge gate a # exit code four", "no exit code"),
    ] {
        let why = read(line, "").unwrap_err();
        assert!(why.contains(part), "{line}: {why}");
    }
}
