//! Text of others, made harmless, and the tables it stands in.
//!
//! Recipes, models and servers may say anything. All of it is printed as code spans: in those, HTML, links, emphasis, mentions and
//! references are mere characters, so only the span's own fence and a table's pipes need care.

#[cfg(test)]
mod tests;

/// Text of others as a code span on one line; `-` if there is nothing to see.
pub(super) fn code(text: &str) -> String {
    code_up_to(text, usize::MAX)
}

/// The same, cut after so many characters. It is cut last, so that half of a URL's credentials cannot be left.
pub(super) fn code_up_to(text: &str, characters: usize) -> String {
    let text = clean(text);
    let text = text.trim();
    if text.is_empty() {
        return "-".to_owned();
    }
    let cut = text.char_indices().nth(characters).map(|(at, _)| format!("{}…", text[..at].trim_end()));
    let text = cut.as_deref().unwrap_or(text);
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence of ours that may have a word of others in it: as it is if nothing in it could be taken for Markdown, a link, a mention or a
/// reference, and otherwise like any text of others.
pub(super) fn sentence(text: &str, characters: usize) -> String {
    let text = clean(text);
    let text = text.trim();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " .,:;()%/+-='\"?".contains(c);
    let lower = text.to_ascii_lowercase();
    let is_link = ["://", "www.", "gh-"].iter().any(|part| lower.contains(part));
    let is_harmless = !text.is_empty() && text.chars().all(is_plain) && !is_link && text.len() <= characters;
    if is_harmless { text.to_owned() } else { code_up_to(text, characters) }
}

/// A command line as a fenced block, quoted for a POSIX shell.
pub(super) fn command_block(command: &[String]) -> String {
    let line = command_line(command);
    let fence = "`".repeat(longest_run(&line).max(2) + 1);
    format!("{fence}sh\n{line}\n{fence}\n")
}

/// A command line on one line, quoted for a POSIX shell.
pub(super) fn command_line(command: &[String]) -> String {
    let words: Vec<_> = command.iter().map(|word| quote(&clean(word))).collect();
    words.join(" ")
}

fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// One line without anything that a terminal or an editor would act on, and without the credentials of a URL.
pub(super) fn clean(text: &str) -> String {
    let visible = |c: char| match c {
        '\u{2028}' | '\u{2029}' => ' ',
        c if c.is_control() => ' ',
        // Marks that reorder or hide what stands beside them.
        '\u{061C}' | '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' => {
            '\u{FFFD}'
        }
        c => c,
    };
    without_credentials(&text.chars().map(visible).collect::<String>())
}

/// `http://name:secret@host` becomes `http://***@host`.
fn without_credentials(text: &str) -> String {
    let mut pieces = text.split("://");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let authority = piece.find(|c: char| c.is_whitespace() || "/?#'\"".contains(c)).unwrap_or(piece.len());
        let rest = piece[..authority].rfind('@').map_or(piece, |at| &piece[at..]);
        kept.push_str("://");
        if rest.len() < piece.len() {
            kept.push_str("***");
        }
        kept.push_str(rest);
    }
    kept
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A table: its first columns are text, the others figures.
pub(super) struct Table {
    markdown: String,
}

impl Table {
    /// An empty table; the first `texts` columns are aligned to the left.
    pub(super) fn new(heads: &[&str], texts: usize) -> Self {
        let mut table = Self { markdown: String::new() };
        table.row(heads.iter().map(|head| (*head).to_owned()));
        table.row((0..heads.len()).map(|column| if column < texts { "---" } else { "---:" }.to_owned()));
        table
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.markdown.push_str(&row(cells));
    }

    pub(super) fn markdown(&self) -> &str {
        &self.markdown
    }
}

/// A row of a table with its line break.
pub(super) fn row(cells: impl IntoIterator<Item = String>) -> String {
    let mut line = "|".to_owned();
    for cell in cells {
        line.push(' ');
        line.push_str(&without_pipes(&cell));
        line.push_str(" |");
    }
    line + "\n"
}

/// A table without the columns in which no row has anything; `-` where only some have. The first `texts` columns are text.
pub(super) fn sparse_table(heads: &[&str], texts: usize, rows: &[Vec<Option<String>>]) -> String {
    let has_any = |column: &usize| rows.iter().any(|row| row.get(*column).is_some_and(Option::is_some));
    let columns: Vec<usize> = (0..heads.len()).filter(has_any).collect();
    let kept: Vec<&str> = columns.iter().map(|column| heads[*column]).collect();
    let mut table = Table::new(&kept, columns.iter().filter(|column| **column < texts).count());
    for row in rows {
        table.row(columns.iter().map(|column| row[*column].clone().unwrap_or_else(|| "-".to_owned())));
    }
    table.markdown
}

/// A pipe ends a cell even inside a code span, unless an odd number of backslashes stands before it.
fn without_pipes(cell: &str) -> String {
    let mut escaped = String::with_capacity(cell.len());
    let mut backslashes = 0;
    for c in cell.chars() {
        if c == '|' {
            escaped.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        escaped.push(c);
    }
    escaped
}
