use proptest::prelude::*;

use super::*;

#[test]
fn text_of_others_is_a_code_span() {
    let table = [
        ("plain", "`plain`"),
        ("", "-"),
        (" \n\t ", "-"),
        ("two\nlines\r\nand\ta tab", "`two lines  and a tab`"),
        ("a `b` c", "``a `b` c``"),
        ("`", "`` ` ``"),
        ("a``", "``` a`` ```"),
        ("<img src=x onerror=alert(1)>", "`<img src=x onerror=alert(1)>`"),
        ("&amp; <b>", "`&amp; <b>`"),
        ("[a](https://example.org) @someone #1", "`[a](https://example.org) @someone #1`"),
        ("<!-- sparkgauge:note -->", "`<!-- sparkgauge:note -->`"),
        ("\u{1b}[31mred\u{0}", "`[31mred`"),
        ("abc\u{202e}fed\u{200b}", "`abc\u{fffd}fed\u{fffd}`"),
        ("para\u{2029}graph", "`para graph`"),
    ];
    for (text, expected) in table {
        assert_eq!(code(text), expected, "{text:?}");
    }
}

#[test]
fn credentials_of_a_url_are_not_printed() {
    let table = [
        ("http://name:secret@host:8000/v1", "`http://***@host:8000/v1`"),
        ("http://token@host", "`http://***@host`"),
        ("http://a:b@c@host/", "`http://***@host/`"),
        ("http://host/@someone", "`http://host/@someone`"),
        ("http://host?q=a@b", "`http://host?q=a@b`"),
        ("--url=http://a:b@host --mail x@y", "`--url=http://***@host --mail x@y`"),
        ("a http://a:b@one http://c:d@two", "`a http://***@one http://***@two`"),
        ("no url, but me@host", "`no url, but me@host`"),
    ];
    for (text, expected) in table {
        assert_eq!(code(text), expected, "{text:?}");
    }
}

#[test]
fn long_text_is_cut() {
    let table = [
        ("abcdef", 6, "`abcdef`"),
        ("abcdefg", 6, "`abcdef…`"),
        ("ab `cd` ef", 5, "``ab `c…``"),
        ("äöü ß", 4, "`äöü…`"),
        ("http://name:secret@host/path", 14, "`http://***@hos…`"),
    ];
    for (text, characters, expected) in table {
        assert_eq!(code_up_to(text, characters), expected, "{text:?}");
    }
}

#[test]
fn only_a_harmless_sentence_stays_as_it_is() {
    let table = [
        ("2 of 18 gate cells are worse: say --treatment image", "2 of 18 gate cells are worse: say --treatment image"),
        ("chat/c10 is <b>worse</b>", "`chat/c10 is <b>worse</b>`"),
        ("worse\nand worse", "worse and worse"),
        ("see http://here", "`see http://here`"),
        ("see Www.here", "`see Www.here`"),
        ("as in GH-1", "`as in GH-1`"),
        ("@someone", "`@someone`"),
        ("*worse*", "`*worse*`"),
        ("", "-"),
        (&"long ".repeat(20), "`long long long long long long long long long long long long…`"),
    ];
    for (text, expected) in table {
        assert_eq!(sentence(text, 60), expected, "{text:?}");
    }
}

#[test]
fn command_is_quoted_for_a_shell() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let command = words(&["run", "--seed=7", "a b", "", "it's", "$(rm)", "a\nb"]);
    assert_eq!(command_line(&command), r"run --seed=7 'a b' '' 'it'\''s' '$(rm)' 'a b'");
    assert_eq!(command_block(&words(&["run", "```"])), "````sh\nrun '```'\n````\n");
}

#[test]
fn pipe_does_not_end_a_cell() {
    let table = [("a|b", r"| a\|b |"), (r"a\|b", r"| a\\\|b |"), (r"a\\|b", r"| a\\\\\|b |"), (r"a\b", r"| a\b |")];
    for (cell, expected) in table {
        let mut table = Table::new(&["x"], 1);
        table.row([cell.to_owned()]);
        assert_eq!(table.markdown().lines().last(), Some(expected), "{cell}");
    }
}

#[test]
fn a_sparse_table_has_only_columns_with_something_in_them() {
    let some = |text: &str| Some(text.to_owned());
    let rows = [vec![some("a"), None, None, some("1")], vec![some("b"), None, some("2"), None]];
    assert_eq!(
        sparse_table(&["w", "x", "y", "z"], 2, &rows),
        "| w | y | z |\n| --- | ---: | ---: |\n| a | - | 1 |\n| b | 2 | - |\n"
    );
}

/// Cells of a table's row, as GitHub's Markdown splits it: at pipes that no backslash escapes.
fn split(row: &str) -> Vec<String> {
    let (mut cells, mut escaped) = (vec![String::new()], false);
    for c in row.chars() {
        if c == '|' && !escaped {
            cells.push(String::new());
        } else if let Some(cell) = cells.last_mut() {
            cell.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    cells
}

/// Text made of what Markdown cares about.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "`", "``", "|", "\\", "<", "&", "\n", "\r", "@a", "#1", "](x)", "**", "_", "~", " ", "w", "-->",
    ]);
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_row_keeps_its_cells(one in hostile(), two in hostile()) {
        let mut table = Table::new(&["x", "y"], 2);
        table.row([code(&one), code(&two)]);
        prop_assert_eq!(table.markdown().lines().count(), 3);
        let row = table.markdown().lines().last().unwrap().to_owned();
        prop_assert_eq!(split(&row).len(), 4, "{}", row);
    }

    #[test]
    fn code_span_ends_only_at_its_end(text in hostile()) {
        let span = code(&text);
        prop_assume!(span != "-");
        let fence: String = span.chars().take_while(|&c| c == '`').collect();
        // Runs of backticks as long as the fence: the fence itself, twice.
        let runs = span.split(|c| c != '`').filter(|run| run.len() == fence.len()).count();
        prop_assert_eq!(runs, 2, "{}", span);
        prop_assert!(span.ends_with(&fence) && !span.contains(['\n', '\r']));
    }
}
