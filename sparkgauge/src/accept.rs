//! `accept`: a person makes a run what later runs are compared with, and says why.

use std::{path::PathBuf, process::Command};

use clap::{Args, ValueEnum};
use record::{ExitCode, Record, file};
use reports::judge::Treatment;

use crate::{
    RefusedError, UsageError,
    baselines::{self, ACCEPTED_SCHEMA_VERSION, Acceptance, BaselineStore, ReplacedBaseline},
    home, print, run_folder, say,
    sides::{self, Sides},
    verdict::{self, PolicyArgs},
};

mod checks;

#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// Run to accept: its record or folder
    run: PathBuf,
    /// Reason, for those who read it later
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Person who accepts it [default: git's user.name]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Requirement to waive; may be given several times
    #[arg(long, value_enum, value_name = "WORD")]
    allow: Vec<Allow>,
    /// Replace a baseline though this run has fewer cells or boots
    #[arg(long)]
    replace_with_less: bool,
    #[command(flatten)]
    baseline_store: baselines::BaselineStoreArgs,
}

/// What can be waived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Allow {
    /// 3 or 4 boots instead of 5
    FewBoots,
    /// a recipe that is not pinned, and so may name another engine tomorrow
    Unpinned,
}

impl Allow {
    fn word(self) -> &'static str {
        match self {
            Self::FewBoots => "few-boots",
            Self::Unpinned => "unpinned",
        }
    }
}

/// Checks a run, and puts a copy of it where the baseline is looked for.
pub(crate) fn run(args: &AcceptArgs) -> anyhow::Result<ExitCode> {
    let why = args.why.trim();
    if why.is_empty() {
        return Err(UsageError("--why is empty: say why this run is to be the baseline".to_owned()).into());
    }
    let who = accepting_person(args.who.as_deref())?;
    let path = match &sides::records(&args.run)?[..] {
        [path] => path.clone(),
        _ => return Err(UsageError("a baseline is one run; name one record".to_owned()).into()),
    };
    let bytes = sides::bytes(&path)?;
    let record = file::decode(&bytes).map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
    let missing = checks::unmet_requirements(&record, &args.allow);
    if !missing.is_empty() {
        return Err(RefusedError(format!("{} cannot be a baseline: {}", path.display(), missing.join("; "))).into());
    }
    let store = args.baseline_store.open();
    let folder = store.folder(&record.header);
    if let Some(old) = store.find(&record.header)?.filter(|_| !args.replace_with_less)
        && let Some(less) = checks::less_than(&sides::header(&old)?, &record.header)
    {
        let what = format!("{} has less than the baseline that it would replace: {less}", path.display());
        let advice = "measure what is missing too, or say --replace-with-less";
        return Err(RefusedError(format!("{what}; {advice}")).into());
    }
    let replaces = replaced_baseline(&store, &record, &path)?;
    let accepted = Acceptance {
        schema_version: ACCEPTED_SCHEMA_VERSION,
        who,
        when_unix_s: run_folder::now_s()?,
        why: why.to_owned(),
        recipe: record.header.recipe.name.clone(),
        machine: record.header.machine.name.clone(),
        suite: baselines::suite(&record.header),
        profile: record.header.profile,
        boots: record.boots.len(),
        harness_commit: record.header.harness_commit.clone(),
        allowed: args.allow.iter().map(|one| one.word().to_owned()).collect(),
        replaces,
    };
    let noted = std::fs::read_to_string(path.with_file_name("report.md")).ok();
    baselines::write(&folder, &bytes, &accepted, &reports::render_onto(&record, noted.as_deref(), None))?;
    print(&folder.display().to_string());
    say("it is yours to commit: runs of this recipe on this machine are now judged against it");
    Ok(ExitCode::Success)
}

/// `--who`, else git's user.name.
fn accepting_person(given: Option<&str>) -> Result<String, UsageError> {
    let of_git = || {
        let output = Command::new("git").args(["config", "user.name"]).current_dir(home::folder()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let who = given.map(|name| name.trim().to_owned()).or_else(of_git).unwrap_or_default();
    if who.is_empty() {
        return Err(UsageError("who accepts it is not known: say --who NAME, or set git's user.name".to_owned()));
    }
    Ok(who)
}

/// The baseline that is there, and what is to be said of the new one beside it. That decides nothing: a person gave a reason. What a
/// recipe says may differ, since a new image or a new flag is why one accepts anew.
fn replaced_baseline(store: &BaselineStore, record: &Record, path: &std::path::Path) -> anyhow::Result<Option<ReplacedBaseline>> {
    let Some(old) = store.find(&record.header)? else { return Ok(None) };
    let policy = PolicyArgs { treatment: Treatment::RECIPE.to_vec(), ..PolicyArgs::default() };
    let ruling = verdict::rule(&Sides::apart(vec![old.clone()], vec![path.to_path_buf()]), &policy, store)?;
    let line = reports::summary_line(&ruling);
    say(&format!("beside the baseline that it replaces: {line}"));
    let before = old.parent().and_then(baselines::accepted_in);
    let (who, when_unix_s, why) = match before {
        Some(before) => (Some(before.who), Some(before.when_unix_s), Some(before.why)),
        None => (None, None, None),
    };
    let harness_commit = sides::header(&old)?.harness_commit;
    Ok(Some(ReplacedBaseline { who, when_unix_s, why, harness_commit, ruling: line }))
}
