//! The measuring client's own error: up to which load each figure stays within 1 %, and which measured load covers a trial.

use record::{
    ErrorBudget, Metric, Trial,
    instrument::{BudgetPoint, peak_rate_per_s},
};

use crate::{
    metric::info,
    metrics::{Distribution, TrialMetrics},
};

#[cfg(test)]
pub(crate) mod tests;

/// Largest relative error of a figure, either way: the smallest margin of a verdict is three times that.
pub const MAX_RELATIVE_ERROR: f64 = 0.01;

/// The figures that an error budget knows the relative error of, as reports call them.
pub const FIGURES: [&str; 5] = [TTFT_P50, info(Metric::TtftP99Ns).title, TPOT_P50, info(Metric::ItlP99Ns).title, OUTPUT_RATE];

const TTFT_P50: &str = info(Metric::TtftP50Ns).title;
const TPOT_P50: &str = info(Metric::TpotP50Ns).title;
const OUTPUT_RATE: &str = "output tok/s";

/// The load that a trial put on the client, and the size of its figures: an error of 1 ms matters for a TTFT of 40 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClientLoad {
    /// Most requests in flight at once.
    pub streams: u32,
    /// Chunks read per second in the densest second.
    pub chunks_per_s: f64,
    /// The trial's median TTFT, in nanoseconds; none of a trial without requests.
    pub ttft_p50_ns: Option<f64>,
    /// The trial's median TPOT, in nanoseconds; none where no request has one.
    pub tpot_p50_ns: Option<f64>,
}

impl ClientLoad {
    /// The load of a trial; none of a trial without duration.
    #[must_use]
    pub fn of(trial: &Trial, metrics: &TrialMetrics) -> Option<Self> {
        let stamps_ns = trial.observations.iter().flat_map(|observation| observation.chunks.iter().map(|chunk| chunk.t_ns));
        let chunks_per_s = peak_rate_per_s(stamps_ns, 0, trial.duration_ns)?;
        let median = |distribution: Option<Distribution>| distribution.map(|distribution| distribution.p50);
        let (ttft_p50_ns, tpot_p50_ns) = (median(metrics.ttft), median(metrics.tpot));
        Some(Self { streams: metrics.in_flight_peak, chunks_per_s, ttft_p50_ns, tpot_p50_ns })
    }

    /// The more demanding of both, field by field: the larger load and the smaller figures.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let smaller = |left: Option<f64>, right: Option<f64>| left.into_iter().chain(right).min_by(f64::total_cmp);
        Self {
            streams: self.streams.max(other.streams),
            chunks_per_s: self.chunks_per_s.max(other.chunks_per_s),
            ttft_p50_ns: smaller(self.ttft_p50_ns, other.ttft_p50_ns),
            tpot_p50_ns: smaller(self.tpot_p50_ns, other.tpot_p50_ns),
        }
    }
}

/// Whether an error budget covers a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coverage<'b> {
    /// A load at least as large was measured, and every figure that verdicts rest on stayed right.
    Within(&'b BudgetPoint),
    /// Of the loads at least as large that were measured, none stayed right. This is the nearest.
    Beyond(&'b BudgetPoint),
    /// No load as large was measured.
    Unchecked,
}

/// Each figure's relative error at a measured load, with its name.
pub fn relative_errors(point: &BudgetPoint) -> impl Iterator<Item = (&'static str, f64)> {
    let figures = &point.figures;
    FIGURES.into_iter().zip([figures.ttft_p50, figures.ttft_p99, figures.tpot_p50, figures.itl_p99, figures.output_rate])
}

/// The figures that verdicts rest on. A tail is shown beside them: on a machine that stutters its 99th percentile is the machine's, and it
/// is that of the bare client too.
const VERDICT_FIGURES: [&str; 3] = [TTFT_P50, TPOT_P50, OUTPUT_RATE];

fn largest_error(errors: impl Iterator<Item = (&'static str, f64)>) -> (&'static str, f64) {
    errors.max_by(|left, right| left.1.abs().total_cmp(&right.1.abs())).unwrap_or(("nothing", 0.0))
}

/// The figure that is furthest off.
#[must_use]
pub fn worst(point: &BudgetPoint) -> (&'static str, f64) {
    largest_error(relative_errors(point))
}

/// The figure of a trial's that verdicts rest on which is furthest off with the errors of a measured load.
#[must_use]
pub fn worst_verdict_figure(point: &BudgetPoint, load: ClientLoad) -> (&'static str, f64) {
    let relative_error = |error_ns: u64, of_ns: Option<f64>| of_ns.map_or(0.0, |of_ns| error_ns as f64 / of_ns.max(1.0));
    let ttft = relative_error(point.errors.ttft_p50_ns, load.ttft_p50_ns);
    let tpot = relative_error(point.errors.tpot_p50_ns, load.tpot_p50_ns);
    largest_error(VERDICT_FIGURES.into_iter().zip([ttft, tpot, point.figures.output_rate]))
}

/// The tail percentile with the largest error, if that is above 1 %.
#[must_use]
pub fn worst_tail(point: &BudgetPoint) -> Option<(&'static str, f64)> {
    let tails = relative_errors(point).filter(|(name, _)| !VERDICT_FIGURES.contains(name));
    Some(largest_error(tails)).filter(|(_, error)| error.abs() > MAX_RELATIVE_ERROR)
}

/// Whether the client lost nothing at the point, and every figure that verdicts rest on has an error of at most 1 %.
#[must_use]
pub fn is_accurate(point: &BudgetPoint, load: ClientLoad) -> bool {
    point.account.is_exact() && worst_verdict_figure(point, load).1.abs() <= MAX_RELATIVE_ERROR
}

/// Finds the measured load that covers a load. A measured load covers it if it had at least as many streams and chunks per second; the nearest has
/// the smallest product of both.
#[must_use]
pub fn covering(budget: &ErrorBudget, load: ClientLoad) -> Coverage<'_> {
    let at_or_above = |point: &&BudgetPoint| point.streams >= load.streams && point.chunks_per_s >= load.chunks_per_s;
    let size = |point: &BudgetPoint| f64::from(point.streams) * point.chunks_per_s;
    let nearest = |right: bool| {
        let standing = budget.points.iter().filter(at_or_above).filter(|point| is_accurate(point, load) == right);
        standing.min_by(|left, right| size(left).total_cmp(&size(right)))
    };
    nearest(true).map(Coverage::Within).or_else(|| nearest(false).map(Coverage::Beyond)).unwrap_or(Coverage::Unchecked)
}

/// The load up to which a figure stays within 1 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FigureLimit<'b> {
    /// The figure's name, one of [`FIGURES`].
    pub figure: &'static str,
    /// The largest load below `off`; none if the error is above 1 % at the smallest load.
    pub right: Option<&'b BudgetPoint>,
    /// The first load at which the error is above 1 % or chunks are lost, with the error; none if there is no such load.
    pub off: Option<(&'b BudgetPoint, f64)>,
}

/// The load at which each figure's error passes 1 %, by chunks per second.
#[must_use]
pub fn limits(budget: &ErrorBudget) -> Vec<FigureLimit<'_>> {
    let mut points: Vec<&BudgetPoint> = budget.points.iter().collect();
    points.sort_by(|left, right| left.chunks_per_s.total_cmp(&right.chunks_per_s));
    let limit = |place: usize| {
        let error = |point: &BudgetPoint| relative_errors(point).nth(place).map_or(0.0, |(_, error)| error);
        let first_off = points.iter().position(|point| !point.account.is_exact() || error(point).abs() > MAX_RELATIVE_ERROR);
        let right = points[..first_off.unwrap_or(points.len())].last().copied();
        FigureLimit { figure: FIGURES[place], right, off: first_off.map(|at| (points[at], error(points[at]))) }
    };
    (0..FIGURES.len()).map(limit).collect()
}
