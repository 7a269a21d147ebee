//! The table of metrics that have one number per trial: names, unit, better direction, requests needed, and the source of the value. Everything that
//! prints, compares or exports metrics reads this table; the formulas are in [`crate::metrics`].

use record::Metric;

use crate::metrics::TrialMetrics;
pub use crate::{number::Unit, statistics::comparison::BetterDirection};

mod table;

#[cfg(test)]
mod tests;

pub use table::METRICS;

/// A row of the table of metrics.
#[derive(Debug, Clone, Copy)]
pub struct MetricInfo {
    /// The metric, whose `as_str` is its name in records and rulings.
    pub id: Metric,
    /// Name in a sentence or a row. Figures are printed with their unit.
    pub title: &'static str,
    /// Name as the heading of a column.
    pub heading: &'static str,
    /// Name without abbreviations, such as `time to first token, median`.
    pub spelled: &'static str,
    /// Unit in which the value is printed.
    pub unit: Unit,
    /// The better direction; none of a metric of the load or the stream, on which there can be no gate.
    pub better: Option<BetterDirection>,
    /// The smallest change worth acting on where no gate declares one, as a share; none of a metric that is never compared.
    pub margin: Option<f64>,
    /// Fewest requests per trial from which a percentile has a bound; none of other metrics. Gaps between the tokens of one request are not
    /// independent, so their percentiles count requests too.
    pub requests_needed: Option<usize>,
    /// The value for a trial, where it is defined.
    pub value: fn(&TrialMetrics) -> Option<f64>,
}

/// The row of a metric.
#[must_use]
pub const fn info(metric: Metric) -> &'static MetricInfo {
    &METRICS[metric as usize]
}
