//! A server's page of metrics: its raw counters, and what they mean in the words of this project.

use std::collections::BTreeMap;

use record::{HistogramTotals, ServerMetrics, engine::MetricNames};

use crate::{endpoint::ServerPage, stream::refusal::shortened};

#[cfg(test)]
mod tests;

/// Reads a page in the text format 0.0.4 of the Prometheus documentation ("Exposition formats"). An error says what was wrong with it:
/// a page that cannot be read must not look like a server that counts nothing.
pub(super) fn read_page(text: &str, names: &MetricNames) -> Result<ServerPage, String> {
    if text.trim().is_empty() {
        return Err("the page of metrics is empty".to_owned());
    }
    let mut page = Page { series: BTreeMap::new() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, labels, value) =
            read_line(line).ok_or_else(|| format!("not a page of metrics: it has the line `{}`", shortened(line)))?;
        // Buckets and quantiles cannot be summed, creation times are wall-clock, and a record cannot hold what is not finite.
        let is_part = labels.contains("quantile=\"") || name.ends_with("_bucket") || name.ends_with("_created");
        if !is_part && value.is_finite() {
            page.series.entry(name).or_default().push(value);
        }
    }
    Ok(ServerPage { counters: page.counters(), metrics: page.metrics(names) })
}

/// Name, labels and value of a line; none if it is not the format.
fn read_line(line: &str) -> Option<(&str, &str, f64)> {
    let name_end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))?;
    let (name, rest) = line.split_at(name_end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(labels) => {
            let (labels, rest) = labels.split_at(labels_end(labels)?);
            (labels, &rest[1..])
        }
        None => ("", rest),
    };
    // A timestamp may follow the value.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    name.starts_with(|c: char| !c.is_ascii_digit()).then_some((name, labels, value))
}

/// Where the labels end: at the first brace outside of a quoted value.
fn labels_end(labels: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    labels.bytes().position(|byte| {
        let ends = byte == b'}' && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// The values of each name, one for each set of labels.
struct Page<'a> {
    series: BTreeMap<&'a str, Vec<f64>>,
}

impl Page<'_> {
    /// Counters and gauges by name, summed over their labels; of a histogram or summary `_sum` and `_count`.
    fn counters(&self) -> BTreeMap<String, f64> {
        self.series.iter().map(|(name, values)| ((*name).to_owned(), values.iter().sum())).collect()
    }

    /// The first name that the page has counts; a name that it has without a value is not there.
    fn metrics(&self, names: &MetricNames) -> ServerMetrics {
        let prefix_hits = self.sum(names.prefix_hits);
        let prompt_tokens = self.sum(names.prompt_tokens);
        let without_hits = names.prompt_tokens_without_hits;
        ServerMetrics {
            running: self.sum(names.running),
            waiting: self.sum(names.waiting),
            // Several series are several engines or pools: the fullest one is what makes requests wait.
            kv_usage: self.values(names.kv_usage).and_then(|values| values.iter().copied().reduce(f64::max)),
            prompt_tokens: if without_hits {
                prompt_tokens.map(|tokens| tokens + prefix_hits.unwrap_or(0.0))
            } else {
                prompt_tokens
            },
            generation_tokens: self.sum(names.generation_tokens),
            prefix_queries: self.sum(names.prefix_queries),
            prefix_hits,
            preemptions: self.sum(names.preemptions),
            drafts: self.sum(names.drafts),
            draft_tokens: self.sum(names.draft_tokens),
            accepted_tokens: self.sum(names.accepted_tokens),
            accepted_length: self.values(names.accepted_length).map(|values| values.iter().sum::<f64>() / values.len() as f64),
            queue: self.spent(names.queue),
            prefill: self.spent(names.prefill),
            decode: self.spent(names.decode),
            ttft: self.spent(names.ttft),
        }
    }

    /// The values of the first of these names that has any.
    fn values(&self, names: &[&str]) -> Option<&[f64]> {
        names.iter().find_map(|name| self.series.iter().find(|(known, _)| *known == name)).map(|(_, values)| values.as_slice())
    }

    fn sum(&self, names: &[&str]) -> Option<f64> {
        self.values(names).map(|values| values.iter().sum())
    }

    fn spent(&self, names: &[&str]) -> Option<HistogramTotals> {
        names.iter().find_map(|name| {
            let part = |end: &str| self.series.get(format!("{name}_{end}").as_str()).map(|values| values.iter().sum());
            Some(HistogramTotals { sum_s: part("sum")?, count: part("count")? })
        })
    }
}
