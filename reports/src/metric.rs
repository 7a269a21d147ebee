//! What is to be known of each metric that has one number per trial: its names, its unit, which way it is better, what supports it, and
//! where its value comes from. Whatever prints, compares or exports metrics reads this table; the formulas are in [`crate::metrics`].

use record::Metric;

use crate::metrics::TrialMetrics;
pub use crate::{number::Unit, statistics::comparison::BetterDirection};

mod table;

#[cfg(test)]
mod tests;

pub use table::METRICS;

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct MetricInfo {
    /// The metric, whose `as_str` is its name in records and rulings.
    pub id: Metric,
    /// What it is called in a sentence or a row. Figures bring their unit themselves.
    pub title: &'static str,
    /// What a column of it is called.
    pub heading: &'static str,
    /// Its title without abbreviations of the field.
    pub spelled: &'static str,
    /// What it counts, for printing.
    pub unit: Unit,
    /// Which way it is better; none of what describes the load or the stream, which no gate can be about.
    pub better: Option<BetterDirection>,
    /// The smallest change worth acting on where no gate declares one, as a share; none of what is never compared.
    pub margin: Option<f64>,
    /// Fewest requests per trial that support it, for a percentile that has such a number. Gaps between the tokens of one request are
    /// not independent, so theirs count requests too.
    pub requests_needed: Option<usize>,
    /// Its value for a trial, where it is defined.
    pub value: fn(&TrialMetrics) -> Option<f64>,
}

/// The row of a metric.
#[must_use]
pub const fn info(metric: Metric) -> &'static MetricInfo {
    &METRICS[metric as usize]
}
