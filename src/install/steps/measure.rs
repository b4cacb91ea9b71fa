//! The measurement: tokens generated per second, and the time to the first token of a long prompt.
//!
//! The long prompt is sized so that processing it takes about a minute at most, by the slower of the estimate and the rate
//! of a first short prompt. It stays well below the context, and the receipt has the number of tokens that the engine
//! reports.
//!
//! First the fastest setting is searched for ([`tune`]). A kept setting that cannot be measured is loaded once more, or with
//! less when memory ran out; then its speed stays unknown. Only a model that never answers ends the installation.

use std::time::Instant;

use crate::estimate::{GpuFigures, first_token_s};
use crate::figures::Range;
use crate::install::event::Activity;
use crate::install::prompt::Prompts;
use crate::install::run_context::Run;
use crate::install::slowed_cards::what_slows_cards;
use crate::install::steps::loader::{LoadFacts, Loader};
use crate::install::steps::placement::Placement;
use crate::install::steps::speed::{answer, decode, warm_up};
use crate::install::steps::tune::{self, OtherWorkWatch, Tuned};
use crate::install::timing::{SHORT_PROMPT_WORDS, TimedPrompt, per_second};
use crate::install::{
    InstallError, MeasuredFigures, OtherWork, PlacementComparison, RunnerOptions, Step, TuneDimension,
    TuneFailure, TuneOutcome, TuneTry, TuningReport,
};
use crate::machine::GpuBackend;
use crate::ollama::evidence;
use crate::ollama::own_server::OwnServer;
use crate::ollama::replies::GenerateLine;
use crate::plan::Plan;
use crate::platform::process;

/// Maximum time for processing the long prompt, in seconds.
const PREFILL_LIMIT_S: f64 = 60.0;
/// The shortest long prompt, in tokens.
const MIN_TOKENS: u32 = 512;

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The figures.
    pub figures: MeasuredFigures,
    /// The planned placement and the engine's own, if both were measured.
    pub comparison: Option<PlacementComparison>,
    /// What was tried.
    pub tuning: TuningReport,
    /// The placement before tuning.
    pub untuned: Placement,
}

/// Runs the step. Afterwards the loader has the placement that is kept.
///
/// # Errors
/// When the engine never answers, or the user cancels.
pub async fn run(loader: &mut Loader<'_>, facts: LoadFacts) -> Result<Measured, InstallError> {
    let run = loader.run;
    run.reporter.started(Step::Measure, Activity::MeasuringSpeed);
    let Tuned { facts, mut report, start } = tune::run(loader, facts).await?;
    let comparison = comparison(&report);
    if !report.tries.is_empty() {
        run.reporter.running(Activity::MeasuringSpeed);
    }
    // A busy computer may measure far less than the plan promised.
    let mut watch = OtherWorkWatch::resume(std::mem::take(&mut report.other_work));
    let figures = measure_kept(loader, facts, &mut report, &mut watch).await?;
    report.other_work = watch.end(run).await?;
    run.reporter.done(Activity::Measured {
        tokens_per_s: figures.decode_tokens_per_s,
        first_token_s: figures.first_token_s,
        prompt_tokens: figures.first_token_prompt_tokens.unwrap_or(0),
    });
    Ok(Measured { figures, comparison, tuning: report, untuned: start })
}

/// The planned placement and the engine's own, if both were measured.
fn comparison(report: &TuningReport) -> Option<PlacementComparison> {
    let explicit = report.measured(TuneDimension::Start)?;
    let automatic = report.measured(TuneDimension::Placement)?;
    Some(PlacementComparison {
        explicit_tokens_per_s: explicit.empty_tokens_per_s,
        automatic_tokens_per_s: automatic.empty_tokens_per_s,
        automatic_kept: report.kept_try().is_some_and(|kept| kept.setting.automatic_layers),
    })
}

/// Measures what is loaded. When that fails, loads less if memory ran out, else the same once more; then what the search
/// measured counts, and the rest is unknown.
async fn measure_kept(
    loader: &mut Loader<'_>,
    mut facts: LoadFacts,
    report: &mut TuningReport,
    watch: &mut OtherWorkWatch,
) -> Result<MeasuredFigures, InstallError> {
    let mut is_second = false;
    loop {
        let began = Instant::now();
        let meter = watch.meter();
        let mut slowed = Vec::new();
        let measured = measure_loaded(loader, &facts, &mut slowed).await;
        watch.slowed(slowed);
        watch.measured(meter, loader.run);
        let error = match measured {
            Ok(figures) => return Ok(figures),
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => error,
        };
        let failure = tune::failure_of(&error);
        tracing::warn!(%error, "the loaded setting could not be measured");
        let tried = TuneTry {
            changes: TuneDimension::Start,
            setting: loader.placement.tried(),
            in_force: tune::in_force(&facts.evidence),
            outcome: TuneOutcome::Failed(failure.clone()),
            seconds: began.elapsed().as_secs_f64(),
        };
        let activity = Activity::Tried { tried: Box::new(tried.clone()), is_best: false };
        loader.run.reporter.running(activity);
        report.tries.push(tried);
        if let Some(smaller) = tune::step_down(loader, &failure).await? {
            facts = smaller;
            report.kept = None;
            continue;
        }
        loader.restart_first = true;
        facts = loader.return_to(loader.placement).await?;
        if !is_second {
            is_second = true;
            continue;
        }
        let measured_before = report.kept_try().and_then(TuneTry::speed);
        // It answers, so it can be used, although nothing is known of its speed.
        let answers = measured_before.is_some() || failure == TuneFailure::AnswerCutShort;
        if !answers {
            return Err(error);
        }
        return Ok(MeasuredFigures {
            decode_tokens_per_s: measured_before.map(|speed| speed.empty_tokens_per_s),
            prefill_tokens_per_s: measured_before.map(|speed| speed.prompt_tokens_per_s),
            ..read_back(loader, &facts)
        });
    }
}

/// Measures what is loaded, and adds to `slowed` what slowed the card under it.
async fn measure_loaded(
    loader: &Loader<'_>,
    facts: &LoadFacts,
    slowed: &mut Vec<OtherWork>,
) -> Result<MeasuredFigures, InstallError> {
    let run = loader.run;
    let plan = loader.plan();
    let mut prompts = Prompts::new();
    let short = warm_up(run, loader.server, &mut prompts).await?;
    let decode_tokens_per_s = decode(run, loader.server, &mut prompts, &short.line).await?;

    let words_per_token = SHORT_PROMPT_WORDS as f64 / short.line.prompt_eval_count.max(1) as f64;
    let tokens = length(&plan, &short.line);
    run.reporter.running(Activity::MeasuringFirstToken { tokens, expected_s: predicted(&plan, tokens) });
    let words = (f64::from(tokens) * words_per_token) as usize;
    let timed = TimedPrompt { words, num_predict: 1, seed: 2 };
    // By now the card has worked for a while.
    let is_nvidia = |gpu: &GpuFigures| gpu.backend == GpuBackend::Cuda;
    let look = plan.gpu_layers() > 0 && plan.machine.gpus.iter().any(is_nvidia);
    let (long, seen) = tokio::join!(answer(run, loader.server, &mut prompts, timed), what_slows_cards(look));
    slowed.extend(seen);
    let long = long?;

    let prompt_tokens = long.line.prompt_eval_count;
    Ok(MeasuredFigures {
        decode_tokens_per_s,
        prefill_tokens_per_s: per_second(prompt_tokens, long.line.prompt_eval_duration),
        first_token_s: Some(long.first_token.as_secs_f64()),
        first_token_prompt_tokens: Some(prompt_tokens),
        ..read_back(loader, facts)
    })
}

/// What the engine says of the loaded model; no speeds.
fn read_back(loader: &Loader<'_>, facts: &LoadFacts) -> MeasuredFigures {
    let RunnerOptions { num_batch, num_thread, draft_num_predict, use_mmap } =
        tune::in_force(&facts.evidence);
    MeasuredFigures {
        context_tokens: u32::try_from(facts.loaded.context_length).ok(),
        gpu_layers: gpu_layers(loader, facts),
        n_cpu_moe: facts.n_cpu_moe(&loader.plan()),
        num_batch,
        num_thread,
        draft_num_predict,
        use_mmap,
        gpu_share: evidence::gpu_share(&facts.loaded, &facts.evidence),
        kv_cache_type: facts.evidence.kv_cache_types().map(|types| types.to_string().into()),
        vram_bytes: vram_bytes(facts),
        weights_gpu_bytes: facts.evidence.weights_gpu_bytes(),
        weights_ram_bytes: facts.evidence.weights_ram_bytes(),
        prompt_cache_mib: facts.evidence.prompt_cache_mib,
        context_checkpoints: facts.evidence.context_checkpoints,
        ram_bytes: ram_bytes(loader.run),
        ..MeasuredFigures::default()
    }
}

/// Length of the long prompt, in tokens.
fn length(plan: &Plan, short: &GenerateLine) -> u32 {
    let context = plan.candidate.context_tokens;
    // Leave tokens for the answer, and for text that takes a few more tokens than the short prompt suggests.
    let longest = context - context / 12;
    let rate = per_second(short.prompt_eval_count, short.prompt_eval_duration).unwrap_or(f64::INFINITY);
    longest_within(longest, |tokens| {
        predicted(plan, tokens).mid.max(f64::from(tokens) / rate) <= PREFILL_LIMIT_S
    })
}

/// The largest length up to `longest` that is fast enough, [`MIN_TOKENS`] at least. If a length is fast enough, every
/// shorter one is.
fn longest_within(longest: u32, fast_enough: impl Fn(u32) -> bool) -> u32 {
    let (mut good, mut bad) = (MIN_TOKENS, longest.max(MIN_TOKENS) + 1);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fast_enough(middle) { good = middle } else { bad = middle }
    }
    good
}

fn predicted(plan: &Plan, prompt_tokens: u32) -> Range {
    first_token_s(&plan.candidate.model, &plan.setting, &plan.machine, prompt_tokens)
}

/// Layers on the GPU by the log; 0 if none were requested and no graphics memory is used.
fn gpu_layers(loader: &Loader<'_>, facts: &LoadFacts) -> Option<u32> {
    let logged = facts.evidence.offloaded.map(|(on, _)| on);
    logged.or_else(|| (loader.placement.gpu_layers == 0 && facts.loaded.size_vram == 0).then_some(0))
}

fn vram_bytes(facts: &LoadFacts) -> Option<u64> {
    facts.evidence.gpu_bytes().or_else(|| (facts.loaded.size_vram == 0).then_some(0))
}

/// Main memory of the server and its children.
fn ram_bytes(run: &Run<'_>) -> Option<u64> {
    let server = OwnServer::of(&run.paths.engines()).processes().into_iter().next()?;
    process::memory_of_tree(server.identity.pid)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_long_prompt_is_as_long_as_the_time_allows() {
        assert_eq!(longest_within(30_000, |_| true), 30_000);
        assert_eq!(longest_within(30_000, |_| false), MIN_TOKENS);
        assert_eq!(longest_within(30_000, |tokens| tokens <= 4_321), 4_321);
        assert_eq!(longest_within(10, |_| true), MIN_TOKENS);
    }
}
