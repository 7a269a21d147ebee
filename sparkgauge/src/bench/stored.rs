//! A run beside an accepted one.

use record::{ExitCode, RunRequest};

use super::{JudgingArgs, records};
use crate::{
    say,
    sides::{self, Sides},
    verdict,
};

/// Judges the run against the baseline that was named, else against the accepted one; where there is none, there is nothing to say.
pub(super) fn judge(request: &RunRequest, args: &JudgingArgs) -> anyhow::Result<ExitCode> {
    let store = args.baseline_store.open();
    let candidate = records(request);
    let baseline = if let Some(path) = &args.baseline {
        sides::records(path)?
    } else {
        let header = sides::header(&candidate[0])?;
        let Some(accepted) = store.find(&header)? else {
            if args.policy.asks_for_a_verdict() {
                say(&format!("not judged: {}", store.missing(&header)));
            }
            return Ok(ExitCode::Success);
        };
        vec![accepted]
    };
    let sides = Sides::apart(baseline, candidate);
    let ruling = verdict::rule(&sides, &args.policy, &store)?;
    verdict::write(&ruling, &sides.folder, &verdict::reproduce(&ruling, &sides, &args.policy))?;
    Ok(verdict::exit_code(&ruling))
}
