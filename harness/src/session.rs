//! A run: boots, and in each boot the trials, written down one by one.

use futures_util::future::{self, Either};
use record::{Boot, Cell, Counters, End, EndReason, Entry, ExitCode, Header, Outcome, Trial, TrialFacts, WarmUp};

use crate::{
    clock::Clock,
    drive::{DriveLimits, Driven, drive},
    endpoint::Endpoint,
    engine::{
        Engine, EngineError, Running,
        readiness::{ask, question, user, wait_until_ready},
    },
    journal::{Journal, JournalError},
    own_cost::{OwnCost, watch_own_cost},
    progress::Progress,
    sanity,
    sizing::{SizedBoot, TokenizerFile, size},
    stop::Stop,
    suite::{Sized, Suite},
};

mod context;

pub use context::leave_out;

/// How long an engine that drops connections is given to turn out dead, in nanoseconds.
const DEATH_GRACE_NS: u64 = 1_000_000_000;
/// How long it is then given to answer one question, in nanoseconds.
const ANSWER_LIMIT_NS: u64 = 30_000_000_000;

/// A run that could not go on. What was measured before is in the record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The disk.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A plan could not be made.
    #[error("{cell}: cannot be planned: {why}")]
    Plan {
        /// The cell.
        cell: String,
        /// Why.
        why: String,
    },
    /// The engine ended in the middle of a trial.
    #[error("the engine ended during {cell}: {how}\n{log_tail}")]
    Died {
        /// The cell.
        cell: String,
        /// How it ended.
        how: String,
        /// The last lines of its log.
        log_tail: String,
    },
}

impl RunError {
    /// The exit code that it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Engine(error) => error.exit_code(),
            Self::Journal(_) | Self::Died { .. } => ExitCode::Engine,
            Self::Plan { .. } => ExitCode::Usage,
        }
    }
}

/// What a run is made of.
pub struct Session<'a, C> {
    /// The record's first entry.
    pub header: Header,
    /// What is measured, in order.
    pub cells: Vec<Cell>,
    /// Where plans come from.
    pub suite: &'a dyn Suite,
    /// Time.
    pub clock: &'a C,
    /// The model's tokenizer, if given.
    pub tokenizer: Option<TokenizerFile>,
    /// Limits of each trial.
    pub limits: DriveLimits,
    /// Who is told what happens.
    pub progress: &'a dyn Progress,
    /// The wish to stop.
    pub stop: Stop,
    /// False in virtual time, where the instrument has no cost.
    pub real_time: bool,
}

/// Makes a run. The record says how it ended, whatever happens; an error says why it could not go on.
pub async fn run<E: Engine, C: Clock>(
    engine: &mut E,
    session: &Session<'_, C>,
    journal: &mut Journal,
) -> Result<EndReason, RunError> {
    journal.append(&Entry::Header(Box::new(session.header.clone())))?;
    let mut engine_stop = None;
    let made = run_boots(engine, session, journal, &mut engine_stop).await;
    session.progress.ended();
    let reason = match &made {
        Ok(()) if session.stop.is_told() => EndReason::Interrupted,
        Ok(()) => EndReason::Finished,
        Err(RunError::Engine(EngineError::Interrupted)) => EndReason::Interrupted,
        Err(error) => EndReason::Failed { detail: error.to_string() },
    };
    let written = journal.append(&Entry::End(End { reason: reason.clone(), engine_stop }));
    match made {
        Err(RunError::Engine(EngineError::Interrupted)) => {}
        made => made?,
    }
    written?;
    Ok(reason)
}

async fn run_boots<E: Engine, C: Clock>(
    engine: &mut E,
    session: &Session<'_, C>,
    journal: &mut Journal,
    engine_stop: &mut Option<String>,
) -> Result<(), RunError> {
    let mut pace = Pace::new(session);
    for boot in 0..session.header.boots {
        if session.stop.is_told() {
            break;
        }
        session.progress.boot_started(boot, session.header.boots);
        let running = engine.start(boot).await?;
        let made = run_boot(&running, session, journal, boot, &mut pace).await;
        session.progress.stopping();
        let stopped = running.stop().await;
        *engine_stop = Some(match engine_stop.take() {
            Some(before) => format!("{before}; boot {boot}: {stopped}"),
            None => format!("boot {boot}: {stopped}"),
        });
        made?;
    }
    Ok(())
}

async fn run_boot<R: Running, C: Clock>(
    running: &R,
    session: &Session<'_, C>,
    journal: &mut Journal,
    boot: u32,
    pace: &mut Pace,
) -> Result<(), RunError> {
    let sized = prepare(running, session, journal, boot).await?;
    let order = session.suite.boot_order(session.header.seed, boot, &session.cells);
    for round in 0..session.header.trials_per_boot {
        for cell in order.iter().filter_map(|&cell| session.cells.get(cell)) {
            if session.stop.is_told() {
                return Ok(());
            }
            let trial = boot * session.header.trials_per_boot + round;
            run_trial(running, session, journal, &sized, &Place { cell, boot, trial, order: pace.order }).await?;
            pace.step(session, cell);
        }
    }
    Ok(())
}

/// Waits until the engine is ready, looks at its output, finds out how to size prompts, and writes the boot down.
async fn prepare<R: Running, C: Clock>(
    running: &R,
    session: &Session<'_, C>,
    journal: &mut Journal,
    boot: u32,
) -> Result<SizedBoot, RunError> {
    let recipe = &session.header.recipe;
    let (clock, endpoint) = (session.clock, running.endpoint());
    let ready_ns = wait_until_ready(running, clock, &recipe.model.id, recipe.ready.timeout_s, &session.stop).await?;
    let ready_ns = (session.real_time && recipe.attach.is_none()).then_some(ready_ns);
    session.progress.ready(ready_ns);
    let checks = async {
        let sanity = sanity::check(endpoint, clock).await?;
        let sized = size(endpoint, clock, session.suite, session.tokenizer.as_ref(), recipe.model.max_context).await?;
        Ok::<_, EngineError>((sanity, sized, endpoint.version().await))
    };
    let (sanity, sized, engine_version) = match future::select(Box::pin(checks), Box::pin(given_up(running, session))).await {
        Either::Left((checked, _)) => checked?,
        Either::Right((GivenUp::Interrupted, _)) => return Err(EngineError::Interrupted.into()),
        Either::Right((GivenUp::Died(how), _)) => {
            return Err(EngineError::Exited { how, log_tail: running.log_tail() }.into());
        }
    };
    let command = running.command().to_vec();
    check_plans(session, &sized)?;
    journal.append(&Entry::Boot(Boot {
        boot,
        ready_ns,
        healthy_ns: None,
        disk_read_bytes: None,
        engine_version,
        command,
        identity: record::Identity::default(),
        sizing: sized.sizing.clone(),
        sanity,
    }))?;
    Ok(sized)
}

/// Plans every cell once before anything is timed, so that one that cannot be planned does not end a run of hours in its middle.
fn check_plans<C>(session: &Session<'_, C>, sized: &SizedBoot) -> Result<(), RunError> {
    let counted = Sized { counts: sized.counts.as_deref(), sizing: &sized.sizing };
    for cell in &session.cells {
        let seed = session.suite.trial_seed(session.header.seed, cell, 0);
        let cannot = |why| RunError::Plan { cell: cell.name(), why };
        session.suite.plan(cell, seed, &counted).map_err(cannot)?;
        session.suite.warm_up(cell, seed, &counted).map_err(cannot)?;
    }
    Ok(())
}

/// Why something under way must be given up.
enum GivenUp {
    Interrupted,
    Died(String),
}

async fn given_up<R: Running, C: Clock>(running: &R, session: &Session<'_, C>) -> GivenUp {
    match future::select(Box::pin(session.stop.wait()), Box::pin(running.died())).await {
        Either::Left(_) => GivenUp::Interrupted,
        Either::Right((how, _)) => GivenUp::Died(how),
    }
}

/// Which trial it is.
struct Place<'a> {
    cell: &'a Cell,
    boot: u32,
    trial: u32,
    order: u32,
}

async fn run_trial<R: Running, C: Clock>(
    running: &R,
    session: &Session<'_, C>,
    journal: &mut Journal,
    sized: &SizedBoot,
    place: &Place<'_>,
) -> Result<(), RunError> {
    let cell = place.cell;
    session.progress.trial_started(cell, place.order, Pace::trials(session));
    let seed = session.suite.trial_seed(session.header.seed, cell, place.trial);
    let counted = Sized { counts: sized.counts.as_deref(), sizing: &sized.sizing };
    let cannot = |why| RunError::Plan { cell: cell.name(), why };
    let plan = session.suite.plan(cell, seed, &counted).map_err(cannot)?;
    let warm_up_plan = session.suite.warm_up(cell, seed, &counted).map_err(cannot)?;
    running.begin_trial(cell, place.order).await;
    let mut death = None;
    let warmed = drive_until_given_up(running, session, &warm_up_plan, sized, &mut death).await.0;
    let warm_up = WarmUp {
        requests: u32::try_from(warmed.observations.len()).unwrap_or(u32::MAX),
        completed: u32::try_from(warmed.observations.iter().filter(|seen| seen.outcome.is_complete()).count())
            .unwrap_or(u32::MAX),
        duration_ns: warmed.duration_ns,
    };
    if death.is_none() && !session.stop.is_told() {
        let before = counters_of(running.endpoint()).await;
        running.open_connections(cell).await;
        let (mut driven, cost) = drive_until_given_up(running, session, &plan, sized, &mut death).await;
        if let (Some(tokenizer), false) = (&session.tokenizer, sized.usage) {
            tokenizer.count_answers(&mut driven.observations)?;
        }
        // A dead engine has no counters; asking would only wait.
        let after = if death.is_none() { counters_of(running.endpoint()).await } else { None };
        let counters = before.map(|before| Counters { before, after: after.unwrap_or_default() });
        let trial = to_trial(place, &plan, warm_up, driven, counters, cost);
        journal.append(&Entry::Trial(Box::new(trial)))?;
    }
    match death {
        Some(how) => Err(RunError::Died { cell: cell.name(), how, log_tail: running.log_tail() }),
        None => Ok(()),
    }
}

async fn counters_of<E: Endpoint>(endpoint: &E) -> Option<std::collections::BTreeMap<String, f64>> {
    endpoint.server_page().await?.ok().map(|page| page.counters)
}

async fn drive_until_given_up<R: Running, C: Clock>(
    running: &R,
    session: &Session<'_, C>,
    plan: &record::Plan,
    sized: &SizedBoot,
    death: &mut Option<String>,
) -> (Driven, Option<OwnCost>) {
    let stop = async {
        match given_up(running, session).await {
            GivenUp::Interrupted => "interrupted".to_owned(),
            GivenUp::Died(how) => {
                *death = Some(how.clone());
                format!("the engine ended: {how}")
            }
        }
    };
    let limits = DriveLimits { collect_text: session.tokenizer.is_some() && !sized.usage, ..session.limits };
    let driven = drive(running.endpoint(), session.clock, plan, limits, stop);
    let (driven, cost) = if session.real_time { watch_own_cost(session.clock, driven).await } else { (driven.await, None) };
    if death.is_none() && driven.observations.iter().any(|seen| matches!(seen.outcome, Outcome::Disconnected { .. })) {
        *death = died_just_now(running, session.clock).await;
        if death.is_none() {
            *death = answers_no_more(running, session.clock, &driven).await;
        }
    }
    (driven, cost)
}

/// Why an engine counts as gone whose process cannot be watched, as one that was attached to: it served nothing, and does not answer a
/// single question either. Without this every further trial would be sent to a dead port.
async fn answers_no_more<R: Running, C: Clock>(running: &R, clock: &C, driven: &Driven) -> Option<String> {
    if driven.cut_short.is_some() || driven.observations.iter().any(|seen| seen.outcome.is_complete()) {
        return None;
    }
    let answer = ask(running.endpoint(), clock, &question(vec![user("Say one word.")], 1), ANSWER_LIMIT_NS).await;
    match answer.outcome {
        Outcome::Disconnected { detail } => Some(format!("it answers no more: {detail}")),
        _ => None,
    }
}

/// How the engine ended, if it did. One that dies drops its connections first and is reaped a moment later; without this moment the
/// next cell would be blamed, or nobody.
async fn died_just_now<R: Running, C: Clock>(running: &R, clock: &C) -> Option<String> {
    let moment = clock.sleep_until(clock.now_ns() + DEATH_GRACE_NS);
    match future::select(Box::pin(running.died()), Box::pin(moment)).await {
        Either::Left((how, _)) => Some(how),
        Either::Right(_) => None,
    }
}

fn to_trial(
    place: &Place<'_>,
    plan: &record::Plan,
    warm_up: WarmUp,
    driven: Driven,
    counters: Option<Counters>,
    cost: Option<OwnCost>,
) -> Trial {
    Trial {
        cell: place.cell.clone(),
        boot: place.boot,
        trial: place.trial,
        order: place.order,
        seed: plan.seed,
        plan_digest: plan.digest.clone(),
        duration_ns: driven.duration_ns,
        warm_up,
        observations: driven.observations,
        counters,
        server: None,
        facts: TrialFacts {
            cut_short: driven.cut_short,
            cache_reset: None,
            client_cpu_ns: cost.as_ref().and_then(|cost| cost.cpu_ns),
            timer_lag_p99_ns: cost.as_ref().map(|cost| cost.timer_lag_p99_ns),
            timer_lag_max_ns: cost.as_ref().map(|cost| cost.timer_lag_max_ns),
        },
    }
}

/// How far the run is, for the time that is left: the planned seconds of what is done against the seconds that it took.
struct Pace {
    started_ns: u64,
    planned_s: f64,
    done_s: f64,
    order: u32,
}

impl Pace {
    fn new<C: Clock>(session: &Session<'_, C>) -> Self {
        let once: f64 = session.cells.iter().map(|cell| session.suite.estimate_s(cell)).sum();
        let times = f64::from(session.header.boots * session.header.trials_per_boot);
        Self { started_ns: session.clock.now_ns(), planned_s: once * times, done_s: 0.0, order: 0 }
    }

    fn trials<C>(session: &Session<'_, C>) -> u32 {
        let cells = u32::try_from(session.cells.len()).unwrap_or(u32::MAX);
        session.header.boots * session.header.trials_per_boot * cells
    }

    fn step<C: Clock>(&mut self, session: &Session<'_, C>, cell: &Cell) {
        self.order += 1;
        self.done_s += session.suite.estimate_s(cell);
        let took_s = session.clock.now_ns().saturating_sub(self.started_ns) as f64 / 1e9;
        let left_s = if self.done_s > 0.0 { took_s * (self.planned_s - self.done_s) / self.done_s } else { 0.0 };
        session.progress.trial_ended(left_s);
    }
}
