//! The glossary: what every term and abbreviation means here, and what other tools call it. Entries stand in a file; names, units and
//! margins of metrics come from the table of metrics.

use std::sync::LazyLock;

use record::Metric;
use serde::Deserialize;

use crate::{
    metric::{BetterDirection, MetricInfo, info},
    number::{Unit, chosen},
};

static GLOSSARY: LazyLock<Glossary> = LazyLock::new(|| {
    let text = include_str!("glossary/entries.toml");
    let glossary: Glossary = toml::from_str(text).unwrap_or_else(|error| panic!("reports/src/glossary/entries.toml: {error}"));
    glossary.with_abbreviations_of_entries()
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Glossary {
    entry: Vec<Entry>,
    abbreviation: Vec<Abbreviation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    term: String,
    short: Option<String>,
    group: Group,
    sentence: String,
    formula: Option<String>,
    unit: Option<String>,
    #[serde(default)]
    metrics: Vec<Metric>,
    #[serde(default)]
    elsewhere: Elsewhere,
}

/// What other tools call it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    vllm: Option<String>,
    llama_benchy: Option<String>,
    llama_bench: Option<String>,
    aiperf: Option<String>,
    mlperf: Option<String>,
}

/// A short form, and what it stands for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Abbreviation {
    pub(crate) short: String,
    pub(crate) means: String,
    pub(crate) group: Group,
}

/// A section of the glossary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Group {
    Setup,
    Load,
    Engine,
    Times,
    Rates,
    Statistics,
    Verdicts,
    Instrument,
}

const GROUPS: [(Group, &str); 8] = [
    (Group::Setup, "What is measured"),
    (Group::Load, "Loads"),
    (Group::Engine, "Inside the engine"),
    (Group::Times, "Times"),
    (Group::Rates, "Rates"),
    (Group::Statistics, "Statistics"),
    (Group::Verdicts, "Comparisons and verdicts"),
    (Group::Instrument, "The instrument and the simulation"),
];

const INTRODUCTION: &str = "\
# Glossary

What terms and abbreviations mean in reports, verdicts and the help of Sparkgauge, and what other tools call the same: `vllm bench serve`,
llama-benchy, llama.cpp's llama-bench, AIPerf and MLPerf Inference. Where a tool is not named, it has nothing of that kind or it was not
checked. Which versions were read stands in `reports/src/glossary/entries.toml`, from which `cargo xtask regenerate glossary` makes this page.
";

/// The short forms of all entries and those that have no entry.
pub(crate) fn abbreviations() -> &'static [Abbreviation] {
    &GLOSSARY.abbreviation
}

/// The whole glossary as a page of Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (group, title) in GROUPS {
        page.extend(["\n## ", title, "\n"]);
        for entry in GLOSSARY.entry.iter().filter(|entry| entry.group == group) {
            page.extend(["\n", &entry.markdown()]);
        }
    }
    page + "\n## Other abbreviations\n\n" + &others()
}

fn others() -> String {
    let is_other = |one: &&Abbreviation| GLOSSARY.entry.iter().all(|entry| entry.short.as_ref() != Some(&one.short));
    let line = |one: &Abbreviation| format!("- **{}**: {}", one.short, one.means);
    let lines: Vec<String> = GLOSSARY.abbreviation.iter().filter(is_other).map(line).collect();
    lines.join("\n") + "\n"
}

impl Glossary {
    fn with_abbreviations_of_entries(mut self) -> Self {
        let short = |entry: &Entry| {
            let (short, means) = (entry.short.clone()?, entry.term.clone());
            Some(Abbreviation { short, means, group: entry.group })
        };
        let own: Vec<Abbreviation> = self.entry.iter().filter_map(short).collect();
        self.abbreviation.splice(0..0, own);
        self
    }
}

impl Entry {
    fn markdown(&self) -> String {
        let short = self.short.as_ref().map(|short| format!(" ({short})")).unwrap_or_default();
        let mut text = format!("### {}{short}\n\n{}\n", capital(&self.term), self.sentence);
        let facts = [
            self.formula.as_ref().map(|formula| format!("- Formula: `{formula}`\n")),
            self.unit.as_ref().map(|unit| format!("- Unit: {unit}\n")),
            (!self.metrics.is_empty()).then(|| self.metrics.iter().map(|metric| metric_line(info(*metric))).collect()),
            self.elsewhere.markdown(),
        ];
        let facts: String = facts.into_iter().flatten().collect();
        if !facts.is_empty() {
            text.extend(["\n", &facts]);
        }
        text
    }
}

impl Elsewhere {
    fn markdown(&self) -> Option<String> {
        let tools = [
            ("`vllm bench serve`", &self.vllm),
            ("llama-benchy", &self.llama_benchy),
            ("llama-bench", &self.llama_bench),
            ("AIPerf", &self.aiperf),
            ("MLPerf", &self.mlperf),
        ];
        let line = |(tool, text): (&str, &Option<String>)| text.as_ref().map(|text| format!("- In {tool}: {text}\n"));
        let lines: String = tools.into_iter().filter_map(line).collect();
        (!lines.is_empty()).then_some(lines)
    }
}

/// A metric as records and rulings know it: `In records: ttft_p50_ns, TTFT p50 (lower is better, default margin 5 %)`.
fn metric_line(info: &MetricInfo) -> String {
    let better = match info.better {
        Some(BetterDirection::Lower) => "lower is better",
        Some(BetterDirection::Higher) => "higher is better",
        None => "describes the load",
    };
    let unit = match info.unit {
        Unit::Time => ", in nanoseconds",
        Unit::Share => ", as a share of 1",
        Unit::Plain => "",
    };
    let margin = info.margin.map(|margin| format!(", margin {} where no gate declares one", chosen(margin))).unwrap_or_default();
    format!("- In records: `{}`{unit}: {}; {better}{margin}\n", info.id, info.spelled)
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_one_entry() {
        for metric in Metric::ALL {
            let entries = GLOSSARY.entry.iter().filter(|entry| entry.metrics.contains(metric)).count();
            assert_eq!(entries, 1, "{metric}");
        }
    }

    #[test]
    fn terms_and_abbreviations_are_unique() {
        let mut terms: Vec<&str> = GLOSSARY.entry.iter().map(|entry| entry.term.as_str()).collect();
        let mut shorts: Vec<&str> = GLOSSARY.abbreviation.iter().map(|one| one.short.as_str()).collect();
        for names in [&mut terms, &mut shorts] {
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{names:?}");
        }
    }

    #[test]
    fn entry_with_metrics_shows_names_units_and_margins_of_the_table() {
        let page = markdown();
        let start = page.find("### Time to first token (TTFT)").unwrap();
        let entry = page[start..].lines().take(9).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(entry);
    }
}
