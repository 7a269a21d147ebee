//! The place in a report that belongs to a person.

const OPEN: &str = "<!-- sparkgauge:note -->";
const CLOSE: &str = "<!-- /sparkgauge:note -->";

/// The block with a note in it, possibly none.
pub(super) fn block(note: &str) -> String {
    let end = if note.is_empty() || note.ends_with('\n') { "" } else { "\n" };
    format!("{OPEN}\n{note}{end}{CLOSE}\n")
}

/// Whether a line opens a note.
pub(super) fn is_open(line: &str) -> bool {
    line.trim() == OPEN
}

/// What stands between the markers of an earlier rendering. A marker is a line of its own: text of others never is one, since it
/// stands in code spans.
pub(super) fn find(previous: &str) -> Option<&str> {
    let (_, begin) = find_line(previous, 0, OPEN)?;
    let end = find_line(previous, begin, CLOSE).map_or(previous.len(), |(end, _)| end);
    Some(&previous[begin..end])
}

/// Where a line of that text begins, and where the next one does.
fn find_line(text: &str, from: usize, wanted: &str) -> Option<(usize, usize)> {
    let mut begin = from;
    for line in text[from..].split_inclusive('\n') {
        let next = begin + line.len();
        if line.trim() == wanted {
            return Some((begin, next));
        }
        begin = next;
    }
    None
}
