use proptest::prelude::*;

use super::*;
use crate::fixture::ruling::{hostile, huge, improved, inconclusive, insufficient, refused, regressed, second_look, unchanged};

fn words(command: &str) -> Vec<String> {
    command.split(' ').map(str::to_owned).collect()
}

fn page(ruling: &Ruling) -> String {
    render_ruling(ruling, None, &words("cargo xtask compare runs/a runs/b"))
}

fn all() -> [Ruling; 7] {
    [unchanged(), regressed(), inconclusive(), refused(), insufficient(), improved(), second_look()]
}

#[test]
fn regressed_ruling_renders() {
    insta::assert_snapshot!(page(&regressed()));
}

#[test]
fn unchanged_ruling_renders() {
    insta::assert_snapshot!(page(&unchanged()));
}

#[test]
fn inconclusive_ruling_renders() {
    insta::assert_snapshot!(page(&inconclusive()));
}

#[test]
fn refused_ruling_renders() {
    insta::assert_snapshot!(page(&refused()));
}

#[test]
fn insufficient_ruling_renders() {
    insta::assert_snapshot!(page(&insufficient()));
}

#[test]
fn second_look_of_an_interleaved_pair_renders() {
    insta::assert_snapshot!(page(&second_look()));
}

#[test]
fn improved_ruling_renders() {
    let page = page(&improved());
    assert!(
        page.starts_with(
            "# Improved: 1 of 8 gate cells is better beyond chance, by the margin or more as estimated; none is worse, 8 pass\n"
        ),
        "{page}"
    );
    assert!(page.contains("**Improved** (1 of 8): `office/r0.3` TPOT p50.\n"), "{page}");
    assert!(page.contains("| -8.4 % [-9.1, -7.7] | 3 % | 0.94 % | better <0.001 | **improved** |"), "{page}");
}

#[test]
fn summary_line_fits_one_line() {
    insta::assert_snapshot!(all().iter().map(summary_line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn summary_line_names_five_cells_without_foreign_text() {
    let mut ruling = regressed();
    for row in &mut ruling.rows {
        row.verdict = crate::statistics::verdict::Verdict::Regressed;
    }
    assert!(summary_line(&ruling).ends_with("; 3 more)"), "{}", summary_line(&ruling));
    ruling.rows[0].cell = "chat\u{1b}[31m/c1".to_owned();
    assert!(summary_line(&ruling).contains("(gate cell 1 output tok/s, whole"), "{}", summary_line(&ruling));
}

#[test]
fn headline_starts_with_the_verdict_and_has_no_markdown() {
    let first = |sentence: &str| {
        let ruling = Ruling { sentence: sentence.to_owned(), ..regressed() };
        page(&ruling).lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(first("2 cells are worse"), "# Regressed: 2 cells are worse");
    assert_eq!(first("regressed: 2 cells"), "# Regressed: 2 cells");
    assert_eq!(first("No regression: none"), "# No regression: none");
    assert_eq!(first("a <b>"), "# `Regressed: a <b>`");
    assert_eq!(first(""), "# Regressed:");
}

/// The loud lines of a ruling after a change.
fn loud(change: impl FnOnce(&mut Ruling)) -> String {
    let mut ruling = unchanged();
    change(&mut ruling);
    page(&ruling).lines().filter(|line| line.starts_with('>')).collect::<Vec<_>>().join("\n")
}

#[test]
fn limits_of_a_page_are_warnings() {
    use crate::judge::NoiseSource;
    use record::{Launch, Profile};

    assert_eq!(loud(|_| {}), "");
    insta::assert_snapshot!(loud(|one| one.candidate.launch = Launch::Simulated), @"> - **Simulated: the engine of the candidate was a model in virtual time; its figures measure no hardware.**");
    insta::assert_snapshot!(loud(|one| one.candidate.profile = Profile::Smoke), @"> - **Smoke: every workload was a miniature; these figures are not comparable with anything.**");
    insta::assert_snapshot!(loud(|one| one.baseline.profile = Profile::Quick), @"> - **Quick profile: too few boots for a gate, so this verdict only advises.**");
    insta::assert_snapshot!(loud(|one| one.rows.clear()), @"> - **Nothing was judged: there is no gate cell.**");
    insta::assert_snapshot!(loud(|one| one.baseline.invalid = 3), @"> - **3 of 45 trials of the baseline are invalid and left out; 0 repeated.**");
    let calibrated = |cells| Some(NoiseSource::Calibrated { made_unix_s: None, cells });
    insta::assert_snapshot!(loud(|one| one.method.occasion = calibrated(5)), @"> - **Assumed noise: how far figures move from one occasion to the next was measured for 5 of 8 gate cells; for the others 1 % is assumed.**");
}

#[test]
fn inconclusive_cell_says_how_many_boots_would_decide() {
    use crate::statistics::verdict::Looks;

    let said = |change: fn(&mut Ruling)| {
        let mut ruling = regressed();
        change(&mut ruling);
        page(&ruling).lines().find(|line| line.contains(": inconclusive")).unwrap_or_default().to_owned()
    };
    let futile = |ruling: &mut Ruling| {
        ruling.method.options.looks = Looks::Two;
        ruling.rows[2].is_futile = true;
    };
    insta::assert_snapshot!(said(futile), @"- `rag/c20` TTFT p50: inconclusive: a change below 6.6 % would often be missed; 14 boots per side would decide; a second look would not decide it");
    insta::assert_snapshot!(said(|ruling| ruling.rows[2].trials_needed = None), @"- `rag/c20` TTFT p50: inconclusive: a change below 6.6 % would often be missed; more boots would not decide: the difference between two occasions is too uncertain; measure both sides in turns (`--against`), or calibrate");
    let noisy = |ruling: &mut Ruling| {
        ruling.rows[2].trials_needed = None;
        ruling.method.occasion = None;
    };
    insta::assert_snapshot!(said(noisy), @"- `rag/c20` TTFT p50: inconclusive: a change below 6.6 % would often be missed; more boots would not decide: the cell is too noisy for its margin");
}

#[test]
fn note_of_all_cells_is_listed_once() {
    let mut ruling = unchanged();
    for row in &mut ruling.rows {
        row.verdict = crate::statistics::verdict::Verdict::Refused;
        row.why = Some("the machine drifted by 4.1 % over a side's boots".to_owned());
        row.notes.clear();
    }
    let page = page(&ruling);
    assert!(page.contains("\n- all 8: refused: the machine drifted by 4.1 % over a side's boots\n"), "{page}");
    assert_eq!(page.matches("drifted").count(), 1);
}

#[test]
fn verdict_pages_avoid_banned_phrases() {
    for page in all().iter().map(page) {
        for never in ["no evidence", "No evidence", "NaN", "inf ", "benchmark"] {
            assert!(!page.contains(never), "{never}: {page}");
        }
    }
}

#[test]
fn table_rows_have_as_many_cells_as_their_head() {
    for page in all().iter().map(page) {
        assert_shape(&page);
    }
}

/// Each row of a table has as many cells as its head.
fn assert_shape(page: &str) {
    let mut head = None;
    for line in page.lines() {
        if !line.starts_with('|') {
            head = None;
            continue;
        }
        let (mut cells, mut escaped) = (0, false);
        for c in line.chars() {
            cells += usize::from(c == '|' && !escaped);
            escaped = c == '\\' && !escaped;
        }
        assert_eq!(*head.get_or_insert(cells), cells, "{line}");
    }
}

/// A page without its code spans and fenced blocks.
fn outside_of_code(page: &str) -> String {
    let (mut outside, mut fence) = (String::new(), None::<String>);
    for line in page.lines() {
        match &fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if line.starts_with("```") && line.ends_with("sh") => fence = Some(line.trim_end_matches("sh").to_owned()),
            None => {
                outside.push_str(&without_spans(line));
                outside.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a block is open");
    outside
}

fn without_spans(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(begin) = rest.find('`') {
        let length = rest[begin..].find(|c| c != '`').unwrap_or(rest.len() - begin);
        outside.push_str(&rest[..begin]);
        let after = &rest[begin + length..];
        // The span ends at the next run of exactly that many.
        let mut at = 0;
        let end = loop {
            let run = at + after[at..].find('`').unwrap_or_else(|| panic!("a span is open: {line}"));
            let run_length = after[run..].find(|c| c != '`').unwrap_or(after.len() - run);
            at = run + run_length;
            if run_length == length {
                break at;
            }
        };
        rest = &after[end..];
    }
    outside + rest
}

/// What a recipe, a server or whoever made a record could say to break out of its place.
const HOSTILE: &str = "x|`y`\n# heading\n<script>alert(1)</script> @someone #1 [a](http://b) <!-- sparkgauge:note -->\n<!-- sparkgauge:note -->\nowned\n<!-- /sparkgauge:note -->\n\u{202e}|\\";

#[test]
fn foreign_text_stays_inside_code_spans() {
    for ruling in [hostile(HOSTILE), huge(HOSTILE)] {
        let page = page(&ruling);
        assert_shape(&page);
        let outside = outside_of_code(&page);
        for trace in ["<script", "@someone", "heading", "[a]", "owned", "#1"] {
            assert!(!outside.contains(trace), "{trace}: {outside}");
        }
        assert!(!page.contains('\u{202e}'));
        assert_eq!(page.lines().filter(|line| line.trim() == "<!-- sparkgauge:note -->").count(), 1);
        let line = summary_line(&ruling);
        assert!(!line.contains('\n') && !line.contains('\u{202e}'), "{line}");
    }
}

#[test]
fn long_page_is_shortened_in_a_fixed_order() {
    let left_out = |page: &str| {
        let line = page.lines().find(|line| line.starts_with("Shortened")).unwrap_or_default().to_owned();
        assert!(page.len() <= COMMENT_LIMIT_BYTES, "{}", page.len());
        assert!(
            page.contains(" gate cells with their numbers</summary>\n") && page.contains("| Cell | Metric | Baseline |"),
            "{page}"
        );
        line
    };
    assert_eq!(left_out(&page(&regressed())), "");

    let mut advice = regressed();
    for _ in 0..9 {
        let rows: Vec<_> = advice.advisory_rows().cloned().collect();
        advice.rows.extend(rows);
    }
    insta::assert_snapshot!(left_out(&page(&advice)), @"Shortened to fit a comment: without the figures outside of the gate. All of it is in `verdict.json` beside this page.");
    insta::assert_snapshot!(left_out(&page(&huge("short"))), @"Shortened to fit a comment: without the figures outside of the gate; reasons of suspect and invalid trials beyond 20 of a side. All of it is in `verdict.json` beside this page.");
    insta::assert_snapshot!(left_out(&page(&huge(&"long ".repeat(60)))), @"Shortened to fit a comment: without the figures outside of the gate; reasons of suspect and invalid trials beyond 20 of a side; all reasons of suspect and invalid trials; what names and values have beyond 200 characters; what lists have beyond 20 entries. All of it is in `verdict.json` beside this page.");
}

#[test]
fn note_survives_rendering_again() {
    let note = "The fan was loud.\r\n\r\n- **really**  \n";
    for ruling in [regressed(), hostile(HOSTILE), huge(HOSTILE)] {
        let empty = page(&ruling);
        let written = empty.replacen("<!-- sparkgauge:note -->\n", &format!("<!-- sparkgauge:note -->\n{note}"), 1);
        assert_ne!(written, empty);
        let again = render_ruling(&ruling, Some(&written), &words("cargo xtask compare runs/a runs/b"));
        assert!(again.contains(&format!("<!-- sparkgauge:note -->\n{note}<!-- /sparkgauge:note -->\n")), "{again}");
        assert!(again.len() <= COMMENT_LIMIT_BYTES);
    }
}

#[test]
fn note_longer_than_a_comment_is_kept_with_a_warning() {
    let note = "a person's words\n".repeat(5000);
    let previous = format!("<!-- sparkgauge:note -->\n{note}<!-- /sparkgauge:note -->\n");
    let long = render_ruling(&regressed(), Some(&previous), &[]);
    assert!(long.contains(&note) && long.len() > COMMENT_LIMIT_BYTES);
    assert!(long.contains("> **This page is longer than a comment can be"), "{}", &long[..2000]);
    // A note that leaves room for the gate alone takes the rest.
    let note = "a person's words\n".repeat(3400);
    let previous = format!("<!-- sparkgauge:note -->\n{note}<!-- /sparkgauge:note -->\n");
    let full = render_ruling(&huge("short"), Some(&previous), &[]);
    assert!(
        full.contains(&note) && full.len() <= COMMENT_LIMIT_BYTES && full.contains(" gate cells with their numbers</summary>"),
        "{}",
        full.len()
    );
}

/// Text made of what Markdown cares about, short or very long.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "`",
        "``",
        "```",
        "|",
        "\\",
        "<b>",
        "&",
        "\n",
        "\r",
        "@a",
        "#1",
        "](x)",
        "**",
        "_",
        "~",
        " ",
        "w",
        "-->",
        "ß",
        "\u{1f600}",
        "http://a:b@c/",
        "<!-- sparkgauge:note -->",
    ]);
    (prop::collection::vec(piece, 0..24), prop::sample::select(vec![1, 1, 10, 40]))
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_foreign_text_keeps_tables_and_length_limit(text in text(), is_huge in prop::bool::weighted(0.3), note in "[a-z \\n]{0,200}") {
        let ruling = if is_huge { huge(&text.chars().take(100).collect::<String>()) } else { hostile(&text) };
        let previous = format!("<!-- sparkgauge:note -->\n{note}\n<!-- /sparkgauge:note -->\n");
        let page = render_ruling(&ruling, Some(&previous), &["compare".to_owned(), text.clone()]);
        prop_assert!(page.len() <= COMMENT_LIMIT_BYTES, "{}", page.len());
        prop_assert!(page.contains(&previous));
        assert_shape(&page);
        let outside = outside_of_code(&page);
        for trace in ["@a", "#1", "](x)", "<b>", "a:b@c"] {
            prop_assert!(!outside.contains(trace), "{} in {}", trace, outside);
        }
        prop_assert!(!page.contains("a:b@"), "credentials");
        prop_assert!(!summary_line(&ruling).contains(['\n', '\r']));
        prop_assert_eq!(page, render_ruling(&ruling, Some(&previous), &["compare".to_owned(), text]));
    }
}
