//! Tunes the loaded model by measuring: a bounded search for the fastest setting that keeps what the plan promised.
//!
//! [`search`] decides what is tried and kept; this loads and measures. Every try is measured with a nearly empty context and
//! with a filled one. A try that fails is recorded and never ends the installation, except when nothing at all answers.

mod other_work;
mod search;
mod tries;

use std::time::{Duration, Instant};

use crate::figures::Certainty;
use crate::install::event::Activity;
use crate::install::steps::load;
use crate::install::steps::loader::{LoadFacts, Loader};
use crate::install::steps::placement::Placement;
use crate::install::{
    HandSettings, InstallError, RunnerOptions, TuneDimension, TuneFailure, TuneOutcome, TuneTry, TuningEnd,
    TuningReport, TuningRules,
};
use crate::plan::{Layers, Plan, Reason};
pub use other_work::OtherWorkWatch;
use search::{TuneBounds, TuneSearch};
pub use tries::{failure_of, in_force};

/// Time that a try gets besides what the longest one took.
const GRACE: Duration = Duration::from_secs(10);

/// The setting that is loaded, and what was tried.
pub struct Tuned {
    /// What the engine did with it.
    pub facts: LoadFacts,
    /// What was tried.
    pub report: TuningReport,
    /// The placement that was loaded before the search.
    pub start: Placement,
}

/// Searches. Afterwards the best setting is loaded.
///
/// # Errors
/// When the setting to be kept cannot be loaded again, or the user cancels.
pub async fn run(loader: &mut Loader<'_>, facts: LoadFacts) -> Result<Tuned, InstallError> {
    let mut tuner = Tuner::new(loader, facts).await?;
    if !tuner.loader.run.request.options.tune {
        return tuner.end(TuningEnd::Off).await;
    }
    let end = tuner.search().await?;
    tuner.end(end).await
}

struct Tuner<'l, 'a> {
    loader: &'l mut Loader<'a>,
    rules: &'static TuningRules,
    began: Instant,
    limit: Duration,
    filled_tokens: u32,
    start: Placement,
    /// What is loaded, and its measurement's index; `None` after a failed try.
    loaded: Option<(Placement, LoadFacts)>,
    tries: Vec<TuneTry>,
    /// Index in `tries` and setting of the best try.
    kept: Option<(usize, Placement)>,
    /// The longest try so far, loading included.
    longest: Duration,
    watch: OtherWorkWatch,
}

impl<'l, 'a> Tuner<'l, 'a> {
    async fn new(loader: &'l mut Loader<'a>, facts: LoadFacts) -> Result<Self, InstallError> {
        let (rules, plan) = (TuningRules::built_in(), &loader.run.request.plan);
        let limit = rules.time_limit(loader.placement.gpu_layers > 0);
        let read_s = |tokens| tries::predicted_s(plan, tokens);
        let filled_tokens = rules.filled_tokens(plan.candidate.context_tokens, limit, read_s);
        let watch = OtherWorkWatch::begin(loader, &facts).await?;
        Ok(Self {
            rules,
            began: Instant::now(),
            limit,
            filled_tokens,
            start: loader.placement,
            loaded: Some((loader.placement, facts)),
            tries: Vec::new(),
            kept: None,
            longest: loader.last_load,
            watch,
            loader,
        })
    }

    async fn search(&mut self) -> Result<TuningEnd, InstallError> {
        // Whatever it takes, within a limit: without it there is nothing to compare with.
        let limit = self.limit + Duration::from_secs(120);
        let mut measured = self.try_setting(TuneDimension::Start, self.start, limit).await?;
        while measured.is_none() && self.step_down().await? {
            measured = self.try_setting(TuneDimension::Start, self.start, limit).await?;
        }
        let plan = self.loader.run.request.plan.clone();
        let fit = |setting: Placement| fitted(&plan, setting);
        let bounds = TuneBounds {
            rules: self.rules,
            total_layers: plan.total_layers,
            may_place: plan.setting.n_cpu_moe > 0 || plan.candidate.layers == Layers::Fit,
            by_hand: self
                .loader
                .run
                .request
                .by_hand
                .map_or_else(HandSettings::default, |by_hand| by_hand.set),
            draft: plan.candidate.model.prediction_heads.map(|heads| heads.default_tokens),
            threads: self.threads(&plan),
            fit: &fit,
        };
        let mut search = TuneSearch::new(bounds, self.start);
        self.note(&mut search, measured);
        while let Some((changes, setting)) = search.next() {
            if self.loader.run.control.is_tuning_skipped() {
                return Ok(TuningEnd::Skipped);
            }
            let left = self.limit.saturating_sub(self.began.elapsed());
            if left < self.longest {
                return Ok(TuningEnd::TimeUp);
            }
            let measured = self.try_setting(changes, setting, left.min(self.longest * 3 + GRACE)).await?;
            self.note(&mut search, measured);
        }
        let is_skipped = self.loader.run.control.is_tuning_skipped();
        Ok(if is_skipped { TuningEnd::Skipped } else { TuningEnd::Complete })
    }

    /// Tells the search how the last try ended.
    fn note(&mut self, search: &mut TuneSearch<'_>, measured: Option<Placement>) {
        let Some(last) = self.tries.last() else { return };
        let turn_s = last.speed().map(|speed| speed.turn_s);
        search.record(turn_s, measured.unwrap_or_else(|| search.last_setting()), last.in_force);
        // Tries before a step down are not part of the search.
        let before = self.tries.len() - search.count().min(self.tries.len());
        self.kept = search.kept().map(|(at, setting)| (before + at, setting));
        let is_best = self.kept.is_some_and(|(at, _)| at + 1 == self.tries.len());
        let activity = Activity::Tried { tried: Box::new(last.clone()), is_best };
        self.loader.run.reporter.running(activity);
    }

    /// Loads a setting unless it is loaded, and measures it. Returns it with what the engine chose, if it was measured.
    async fn try_setting(
        &mut self,
        changes: TuneDimension,
        setting: Placement,
        limit: Duration,
    ) -> Result<Option<Placement>, InstallError> {
        let began = Instant::now();
        let run = self.loader.run;
        let number = u32::try_from(self.tries.len() + 1).unwrap_or(u32::MAX);
        run.reporter.running(Activity::Tuning { number, changes, setting: setting.tried() });
        let ready = self.loaded.take().filter(|(placement, _)| *placement == setting).map(|(_, facts)| facts);
        let measurement = tries::TryMeasurement { filled_tokens: self.filled_tokens, rules: self.rules };
        let work = measurement.run(self.loader, setting, ready, &mut self.watch);
        let outcome = tokio::select! {
            biased;
            () = run.control.tuning_skipped() => None,
            ended = tokio::time::timeout(limit, work) => Some(ended),
        };
        let (outcome, measured, in_force) = match outcome {
            None => (TuneOutcome::Skipped, None, RunnerOptions::default()),
            Some(Err(_)) => {
                let failure = TuneFailure::TimeLimit { seconds: limit.as_secs() };
                (TuneOutcome::Failed(failure), None, RunnerOptions::default())
            }
            Some(Ok(Err(error))) if error.is_cancelled() => return Err(error),
            Some(Ok(Err(error))) => {
                let failure = failure_of(&error);
                tracing::info!(%error, ?setting, "a try failed");
                (TuneOutcome::Failed(failure), None, RunnerOptions::default())
            }
            Some(Ok(Ok(tries::TryResult::Measured { speed, setting, facts }))) => {
                let in_force = in_force(&facts.evidence);
                self.loaded = Some((setting, *facts));
                (TuneOutcome::Measured(speed), Some(setting), in_force)
            }
            Some(Ok(Ok(tries::TryResult::Failed(failure)))) => {
                (TuneOutcome::Failed(failure), None, RunnerOptions::default())
            }
        };
        if measured.is_none() {
            // The runner may hang, or a restart of the server may have been interrupted.
            self.loader.restart_first = true;
        }
        self.longest = self.longest.max(
            began.elapsed()
                + if changes == TuneDimension::Start { self.loader.last_load } else { Duration::ZERO },
        );
        self.tries.push(TuneTry {
            changes,
            setting: setting.tried(),
            in_force,
            outcome,
            seconds: began.elapsed().as_secs_f64(),
        });
        Ok(measured)
    }

    /// After memory ran out while the first setting was measured: loads the next smaller placement that the user has agreed
    /// to, and begins there. Returns whether there is one.
    async fn step_down(&mut self) -> Result<bool, InstallError> {
        let last = self.tries.last().map(|tried| &tried.outcome);
        let Some(TuneOutcome::Failed(failure)) = last else { return Ok(false) };
        let facts = match step_down(self.loader, failure).await? {
            Some(facts) => facts,
            None => return Ok(false),
        };
        let tried = self.tries.last().cloned();
        if let Some(tried) = tried {
            let activity = Activity::Tried { tried: Box::new(tried), is_best: false };
            self.loader.run.reporter.running(activity);
        }
        self.start = self.loader.placement;
        self.loaded = Some((self.start, facts));
        Ok(true)
    }

    /// Numbers of threads that can be best: of the fast cores alone, of all cores, of all hardware threads.
    fn threads(&self, plan: &Plan) -> Vec<u32> {
        let logical = self.loaded.as_ref().and_then(|(_, facts)| facts.evidence.logical_cores);
        let cores = plan.machine.cpu.physical_cores;
        thread_counts((cores.certainty != Certainty::Guess).then_some(cores.value), logical)
    }

    async fn end(mut self, end: TuningEnd) -> Result<Tuned, InstallError> {
        let kept = self.kept.map_or(self.start, |(_, setting)| setting);
        let facts = match self.loaded.take() {
            Some((placement, facts)) if placement == kept => facts,
            _ if kept == self.start => self.loader.return_to(kept).await?,
            _ => match self.loader.return_to(kept).await {
                Ok(facts) => facts,
                Err(error) if error.is_cancelled() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the best setting cannot be loaded any more");
                    self.kept = self
                        .tries
                        .iter()
                        .position(|tried| tried.setting == self.start.tried())
                        .map(|at| (at, self.start));
                    self.loader.restart_first = true;
                    self.loader.return_to(self.start).await?
                }
            },
        };
        let other_work = match end {
            TuningEnd::Off => self.watch.seen(),
            _ => self.watch.end(self.loader.run).await?,
        };
        let mut report = TuningReport {
            end,
            seconds: self.began.elapsed().as_secs_f64(),
            limit_s: self.limit.as_secs(),
            noise_margin: self.rules.noise_margin,
            tries: self.tries,
            kept: self.kept.map(|(at, _)| at),
            times_engine_defaults: None,
            other_work,
        };
        let defaults = report.measured(TuneDimension::EngineDefaults);
        let kept = report.kept_try().and_then(TuneTry::speed);
        report.times_engine_defaults =
            defaults.zip(kept).map(|(defaults, kept)| defaults.turn_s / kept.turn_s);
        Ok(Tuned { facts, report, start: self.start })
    }
}

/// After memory ran out while a setting was measured: loads the next smaller placement, if there is one that the user has
/// agreed to.
///
/// # Errors
/// When the user cancels.
pub async fn step_down(
    loader: &mut Loader<'_>,
    failure: &TuneFailure,
) -> Result<Option<LoadFacts>, InstallError> {
    let Some(shortage) = tries::shortage(failure) else { return Ok(None) };
    let before = loader.placement;
    loader.note_ran_out(shortage);
    loader.restart_first = true;
    let loaded = match load::step_down(loader).await {
        Ok(attempt) => load::until_loaded(loader, attempt).await,
        Err(error) => Err(error),
    };
    match loaded {
        Ok(facts) => Ok(Some(facts)),
        Err(error) if error.is_cancelled() => Err(error),
        Err(error) => {
            tracing::info!(%error, "there is no smaller placement to go on with");
            loader.placement = before;
            loader.restart_first = true;
            Ok(None)
        }
    }
}

/// The setting if it keeps the limits of memory by the estimate; else, of a model that is not whole on the card, the same with
/// the experts of a few more blocks in main memory, or with a few layers less on the card.
fn fitted(plan: &Plan, setting: Placement) -> Option<Placement> {
    if fits(plan, setting) {
        return Some(setting);
    }
    if setting.automatic {
        return None;
    }
    let few = (plan.total_layers / 6).max(1);
    let less = |by: u32| {
        if setting.n_cpu_moe > 0 {
            let n_cpu_moe = setting.n_cpu_moe + by;
            (n_cpu_moe <= plan.total_blocks()).then_some(Placement { n_cpu_moe, ..setting })
        } else {
            let gpu_layers = setting.gpu_layers.checked_sub(by).filter(|layers| *layers > 0)?;
            (setting.gpu_layers < plan.total_layers).then_some(Placement { gpu_layers, ..setting })
        }
    };
    (1..=few).filter_map(less).find(|setting| fits(plan, *setting))
}

/// Whether a setting keeps the limits of memory by the estimate. Where the engine places the layers, it leaves a margin on
/// the card itself.
fn fits(plan: &Plan, setting: Placement) -> bool {
    let planned = setting.planned(plan);
    let margin = plan.policy.vram_margin_mib.saturating_mul(crate::MIB);
    let on_card = planned.memory.vram_required_bytes.saturating_add(margin) <= plan.vram_free_bytes();
    // What is loaded fits, whatever the estimate says of it.
    let no_more = planned.memory.vram_required_bytes <= plan.memory.vram_required_bytes;
    let is_short = |plan: &Plan| plan.reasons.iter().any(|reason| matches!(reason, Reason::RamShort { .. }));
    (setting.automatic || on_card || no_more) && (!is_short(&planned) || is_short(plan))
}

/// Numbers of threads to try. Where the processor has fewer hardware threads than twice its cores, some cores have one
/// thread only: the slow ones, so the others are the fast ones.
fn thread_counts(physical: Option<u32>, logical: Option<u32>) -> Vec<u32> {
    let Some(physical) = physical.filter(|cores| *cores > 0) else { return Vec::new() };
    let fast = logical
        .and_then(|logical| logical.checked_sub(physical))
        .filter(|fast| *fast > 0 && *fast < physical);
    let mut counts: Vec<u32> = fast.into_iter().chain([physical]).chain(logical).collect();
    counts.retain(|threads| logical.is_none_or(|logical| *threads <= logical));
    counts.sort_unstable();
    counts.dedup();
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_cores_are_told_from_slow_ones() {
        assert_eq!(thread_counts(Some(8), Some(16)), [8, 16]);
        assert_eq!(
            thread_counts(Some(14), Some(20)),
            [6, 14, 20],
            "6 fast cores with two threads, 8 slow ones"
        );
        assert_eq!(thread_counts(Some(8), Some(8)), [8]);
        assert_eq!(thread_counts(Some(16), Some(4)), [4], "a container with fewer");
        assert_eq!(thread_counts(Some(8), None), [8]);
        assert_eq!(thread_counts(None, Some(16)), Vec::<u32>::new());
    }
}
