//! Two engines that were measured in turn: a verdict, and where it is open a second look at what is.

use anyhow::Context;
use record::{ExitCode, RunRequest};
use reports::{
    judge::{OverallVerdict, Row, Ruling},
    statistics::verdict::{Looks, Verdict},
};

use super::{JudgingArgs, measure_and_render, records};
use crate::{
    say,
    sides::{self, LOOK_2, Sides},
    verdict,
};

/// Judges what was measured. What is inconclusive and could still be decided is measured once more, if two looks were planned: only
/// those workloads, with as many boots again, and seeds that go on where the first look ended.
pub(super) fn judge(request: &RunRequest, args: &JudgingArgs) -> anyhow::Result<ExitCode> {
    let first = rule(request, args)?;
    let boots = sides::header(&records(request)[0])?.boots;
    let open = open_workloads(first.overall, first.gate_rows());
    if args.policy.looks_at(boots) == Looks::One || open.is_empty() {
        return Ok(verdict::exit_code(&first));
    }
    say(&format!("a second look: {boots} more boots of each side for {}", open.join(", ")));
    let second = second_look(request, boots, open);
    let measured = measure_and_render(&second)?;
    if !matches!(measured, ExitCode::Success | ExitCode::Invalid) {
        say("the second look was not finished: the verdict is that of the first");
        return Ok(measured);
    }
    let last = rule(request, args)?;
    Ok(if measured == ExitCode::Success { verdict::exit_code(&last) } else { measured })
}

fn rule(request: &RunRequest, args: &JudgingArgs) -> anyhow::Result<Ruling> {
    let folder = &request.out_dir;
    let sides =
        Sides::of_pair(folder).with_context(|| format!("{} does not hold the records of both sides", folder.display()))?;
    let ruling = verdict::rule(&sides, &args.policy, &args.baseline_store.open())?;
    verdict::write(&ruling, &sides.folder, &verdict::reproduce(&ruling, &sides, &args.policy))?;
    Ok(ruling)
}

/// The workloads of gate cells about which nothing can be said yet and a second look may; none where the verdict stands already.
fn open_workloads<'r>(overall: OverallVerdict, gate: impl Iterator<Item = &'r Row>) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    if overall == OverallVerdict::Inconclusive {
        for row in gate.filter(|row| row.verdict == Verdict::Inconclusive && !row.is_futile) {
            if !open.contains(&row.workload) {
                open.push(row.workload.clone());
            }
        }
    }
    open
}

fn second_look(request: &RunRequest, boots: u32, workloads: Vec<String>) -> RunRequest {
    RunRequest {
        // A file for a workload that is not measured is refused.
        sharegpt: request.sharegpt.clone().filter(|_| workloads.iter().any(|name| name == "sharegpt")),
        workloads,
        boots: Some(boots),
        first_boot: request.first_boot + boots,
        out_dir: request.out_dir.join(LOOK_2),
        ..request.clone()
    }
}

#[cfg(test)]
mod tests {
    use record::{Metric, Profile, SimulatedSpark, Target};
    use reports::judge::SideValues;

    use super::*;

    fn row(workload: &str, verdict: Verdict, is_futile: bool) -> Row {
        Row {
            cell: format!("{workload}/c1"),
            workload: workload.to_owned(),
            metric: Metric::OutputTokS,
            gate: true,
            margin: 0.03,
            paired: false,
            baseline: SideValues::default(),
            candidate: SideValues::default(),
            change_percent: None,
            interval_percent: None,
            mde_percent: None,
            p_regressed: None,
            p_improved: None,
            q_regressed: None,
            q_improved: None,
            verdict,
            notes: Vec::new(),
            why: None,
            trials_needed: None,
            is_futile,
        }
    }

    #[test]
    fn second_look_takes_only_inconclusive_workloads() {
        let rows = [
            row("chat", Verdict::Unchanged, false),
            row("chat", Verdict::Inconclusive, false),
            row("rag", Verdict::Inconclusive, true),
            row("batch", Verdict::NotWorse, false),
            row("peak", Verdict::Inconclusive, false),
            row("peak", Verdict::Inconclusive, false),
        ];
        assert_eq!(open_workloads(OverallVerdict::Inconclusive, rows.iter()), ["chat", "peak"]);
        assert_eq!(open_workloads(OverallVerdict::Inconclusive, rows[2..4].iter()), [""; 0]);
        for stands in [OverallVerdict::Regressed, OverallVerdict::Refused, OverallVerdict::Insufficient] {
            assert_eq!(open_workloads(stands, rows.iter()), [""; 0]);
        }
    }

    #[test]
    fn second_look_continues_boots_of_the_first() {
        let spark = Target::Simulated(SimulatedSpark::default());
        let first = RunRequest {
            target: spark.clone(),
            against: Some(spark),
            workloads: Vec::new(),
            profile: Profile::Standard,
            boots: None,
            first_boot: 0,
            trials: None,
            seed: 7,
            out_dir: "runs/x".into(),
            testbed_dir: None,
            hf_cache_dir: None,
            cache_dir: None,
            tokenizer: None,
            sharegpt: Some(("lengths.json".into(), None)),
            command: Vec::new(),
            wait: false,
            client_core: record::ClientCore::Auto,
            allow_unpinned: false,
            stop_at_eof: true,
            commit: None,
            instrument: None,
        };
        let second = second_look(&first, 5, vec!["chat".to_owned()]);
        let expected = RunRequest {
            workloads: vec!["chat".to_owned()],
            boots: Some(5),
            first_boot: 5,
            out_dir: "runs/x/look-2".into(),
            sharegpt: None,
            ..first.clone()
        };
        assert_eq!(second, expected);
        assert_eq!(second_look(&first, 5, vec!["sharegpt".to_owned()]).sharegpt, first.sharegpt);
    }
}
