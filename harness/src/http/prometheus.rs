//! A server's page of metrics: its raw counters, and what they mean in the words of this project.

use std::collections::{BTreeMap, HashMap};

use openmetrics_parser::{MetricNumber, PrometheusMetricFamily, PrometheusSample, PrometheusValue, prometheus::parse_prometheus};
use record::{ServerMetrics, Spent, engine::MetricNames};

use crate::{endpoint::ServerPage, stream::refusal::shortened};

#[cfg(test)]
mod tests;

/// Reads a page in the text format 0.0.4 of the Prometheus documentation ("Exposition formats"). An error says what was wrong with it:
/// a page that cannot be read must not look like a server that counts nothing.
pub(super) fn read_page(text: &str, names: &MetricNames) -> Result<ServerPage, String> {
    if text.trim().is_empty() {
        return Err("the page of metrics is empty".to_owned());
    }
    // The grammar wants an end to the last line too, which not every server writes.
    let ended = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    let families =
        parse_prometheus(&ended).map_err(|error| format!("not a page of metrics: {}", shortened(&error.to_string())))?;
    let page = Page { families: families.families };
    Ok(ServerPage { counters: page.counters(), metrics: page.metrics(names) })
}

struct Page {
    families: HashMap<String, PrometheusMetricFamily>,
}

impl Page {
    /// Counters and gauges by name, summed over their labels. Of a histogram or summary only `_sum` and `_count` are kept: its buckets
    /// and quantiles cannot be summed. Left out are `_created` times, which are wall-clock, and values that are not finite, which a
    /// record cannot hold.
    fn counters(&self) -> BTreeMap<String, f64> {
        let mut counters = BTreeMap::new();
        for (name, family) in self.families.iter().filter(|(name, _)| !name.ends_with("_created")) {
            for sample in family.iter_samples() {
                if let Some(value) = plain_value(sample) {
                    *counters.entry(name.clone()).or_insert(0.0) += value;
                } else if let Some(spent) = spent_of(sample) {
                    *counters.entry(format!("{name}_sum")).or_insert(0.0) += spent.sum_s;
                    *counters.entry(format!("{name}_count")).or_insert(0.0) += spent.count;
                }
            }
        }
        counters
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
            kv_usage: self.values(names.kv_usage).and_then(|values| values.into_iter().reduce(f64::max)),
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
    fn values(&self, names: &[&str]) -> Option<Vec<f64>> {
        self.first(names, plain_value)
    }

    fn sum(&self, names: &[&str]) -> Option<f64> {
        self.values(names).map(|values| values.iter().sum())
    }

    fn spent(&self, names: &[&str]) -> Option<Spent> {
        let add = |a: Spent, b: Spent| Spent { sum_s: a.sum_s + b.sum_s, count: a.count + b.count };
        self.first(names, spent_of).and_then(|spent| spent.into_iter().reduce(add))
    }

    fn first<V>(&self, names: &[&str], value: impl Fn(&PrometheusSample) -> Option<V>) -> Option<Vec<V>> {
        let of = |family: &PrometheusMetricFamily| family.iter_samples().filter_map(&value).collect::<Vec<V>>();
        names.iter().filter_map(|&name| self.families.get(name)).map(of).find(|values| !values.is_empty())
    }
}

/// The value of a counter or gauge, if it is a number.
fn plain_value(sample: &PrometheusSample) -> Option<f64> {
    let value = match &sample.value {
        PrometheusValue::Counter(counter) => counter.value.as_f64(),
        PrometheusValue::Gauge(value) | PrometheusValue::Unknown(value) => value.as_f64(),
        PrometheusValue::Histogram(_) | PrometheusValue::Summary(_) => return None,
    };
    value.is_finite().then_some(value)
}

/// Sum and count of a histogram or summary.
fn spent_of(sample: &PrometheusSample) -> Option<Spent> {
    let (sum, count) = match &sample.value {
        PrometheusValue::Histogram(histogram) => (&histogram.sum, histogram.count),
        PrometheusValue::Summary(summary) => (&summary.sum, summary.count),
        _ => return None,
    };
    let sum_s = sum.as_ref().map(MetricNumber::as_f64).filter(|sum_s| sum_s.is_finite())?;
    Some(Spent { sum_s, count: count? as f64 })
}
