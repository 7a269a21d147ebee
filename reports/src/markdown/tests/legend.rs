use super::*;
use crate::{
    fixture::{contained, ruling},
    markdown::legend::without_code,
};

/// Capital words that need no explanation to anyone who runs a server, and proper names.
const COMMON: [&str; 19] = [
    "API", "BF16", "CPU", "CUDA", "DGX", "GB", "GB/s", "GPU", "HTTP", "ID", "JSON", "LMSYS", "NVIDIA", "OK", "SHA", "TOML",
    "URL", "UTC", "VALID",
];

/// The capital abbreviations of a page's own text: two or more capitals, digits and a dash among them (`E2EL`, `MSER-5`).
fn abbreviations(page: &str) -> Vec<String> {
    let text = without_code(page);
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '/';
    let words = text.split(|c| !is_part(c)).map(|word| word.trim_matches(['-', '/']));
    let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let is_abbreviation = |word: &&str| {
        let pairs = word.chars().zip(word.chars().skip(1));
        word.starts_with(|c: char| c.is_ascii_uppercase())
            && pairs.into_iter().any(|(one, next)| is_capital(one) && is_capital(next))
    };
    let known = words.filter(is_abbreviation).filter(|word| !COMMON.contains(word));
    known.map(str::to_owned).collect()
}

fn assert_explained(page: &str) {
    let (text, legend) = page.split_once("\n## Legend\n").expect("a legend");
    assert_eq!(page.matches("## Legend").count(), 1);
    let lines = legend.lines().filter(|line| !line.is_empty()).count();
    assert!(lines <= 6, "{lines} lines: {legend}");
    for word in abbreviations(text) {
        assert!(legend.contains(&format!("{word} = ")), "{word} is not in the legend: {legend}");
    }
}

#[test]
fn every_abbreviation_of_a_report_is_in_its_legend() {
    for run in [varied(), contained(), super::limit::on_a_spark(), record(Vec::new())] {
        assert_explained(&render(&run));
    }
}

#[test]
fn every_abbreviation_of_a_verdict_is_in_its_legend() {
    use ruling::{improved, inconclusive, insufficient, refused, regressed, second_look, unchanged};

    for ruling in [unchanged(), regressed(), inconclusive(), refused(), insufficient(), improved(), second_look()] {
        assert_explained(&crate::markdown::render_ruling(&ruling, None, &["sparkgauge".to_owned()]));
    }
}

#[test]
fn abbreviation_without_a_legend_entry_is_found() {
    assert_eq!(abbreviations("an ITL of `TTFT`, XYZ-5 and a CPU, tok/s, E2E tok/s"), ["ITL", "XYZ-5", "E2E"]);
}

#[test]
fn legend_names_only_what_the_page_uses() {
    let page = render(&record(Vec::new()));
    assert!(!page.contains("ITL = ") && page.contains("**All terms**"), "{page}");
}
