//! Two runs made together, boot by boot, so that a drift of the machine falls on both alike.

use record::{EndReason, Side};

use super::{ProgressEstimate, RunError, RunInProgress, conclude, end_reason};
use crate::{clock::Clock, engine::Engine};

/// Executes two runs in turns: `order` says whose boot is next, and names each side as often as its header plans boots. Never is an engine of
/// both up at once. What ends one ends the other, and both records say why.
pub async fn run_interleaved<B: Engine, D: Engine, C: Clock>(
    mut baseline: RunInProgress<'_, B, C>,
    mut candidate: RunInProgress<'_, D, C>,
    order: &[Side],
) -> Result<EndReason, RunError> {
    let mut estimate = ProgressEstimate::new(&[baseline.session(), candidate.session()]);
    let made = make_boots(&mut baseline, &mut candidate, order, &mut estimate).await;
    let session = candidate.session();
    session.progress.ended();
    let reason_of = |side: Side| end_reason(&made, &session.stop, |error| describe_for(error, side));
    // Both are tried, whatever becomes of the first.
    let written = baseline.end(reason_of(Side::Baseline)).map_err(of_side(Side::Baseline));
    let reason = reason_of(Side::Candidate);
    let written = written.and(candidate.end(reason.clone()).map_err(of_side(Side::Candidate)));
    conclude(made, written, reason)
}

async fn make_boots<B: Engine, D: Engine, C: Clock>(
    baseline: &mut RunInProgress<'_, B, C>,
    candidate: &mut RunInProgress<'_, D, C>,
    order: &[Side],
    estimate: &mut ProgressEstimate,
) -> Result<(), RunError> {
    baseline.begin().map_err(of_side(Side::Baseline))?;
    candidate.begin().map_err(of_side(Side::Candidate))?;
    for &side in order {
        if candidate.session().stop.is_requested() {
            break;
        }
        match side {
            Side::Baseline => baseline.boot(estimate).await,
            Side::Candidate => candidate.boot(estimate).await,
        }
        .map_err(of_side(side))?;
    }
    Ok(())
}

fn of_side(side: Side) -> impl Fn(RunError) -> RunError {
    move |error| RunError::Side { side, error: Box::new(error) }
}

/// Describes an error that ended both runs, for the record of `side`.
fn describe_for(error: &RunError, side: Side) -> String {
    match error {
        RunError::Side { side: failed, error } if *failed == side => error.to_string(),
        RunError::Side { side: failed, error } => {
            format!("the {failed}, which was measured together with it, could not go on: {error}")
        }
        error => error.to_string(),
    }
}
