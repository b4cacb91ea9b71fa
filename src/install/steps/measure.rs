//! The measurement: tokens generated per second, and the time to the first token of a long prompt.
//!
//! The long prompt is sized so that processing it takes about a minute at most, by the slower of the estimate and the rate
//! of a first short prompt. It stays well below the context, and the receipt has the number of tokens that the engine
//! reports.

use crate::estimate::first_token_s;
use crate::figures::Range;
use crate::install::event::Activity;
use crate::install::prompt::Prompts;
use crate::install::run_context::Run;
use crate::install::steps::compare;
use crate::install::steps::loader::{LoadFacts, Loader};
use crate::install::steps::speed::{SHORT_PROMPT_WORDS, answer, decode, per_second, warm_up};
use crate::install::{InstallError, MeasuredFigures, PlacementComparison, Step};
use crate::ollama::evidence::{self, LoadEvidence};
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
}

/// Runs the step. Afterwards the loader has the placement that is kept.
///
/// # Errors
/// When the engine stops answering, or the user cancels.
pub async fn run(loader: &mut Loader<'_>, facts: LoadFacts) -> Result<Measured, InstallError> {
    let run = loader.run;
    run.reporter.started(Step::Measure, Activity::MeasuringSpeed);
    let (facts, comparison) = compare::run(loader, facts).await?;
    run.reporter.running(Activity::MeasuringSpeed);
    let plan = loader.plan();
    let mut prompts = Prompts::new();
    let short = warm_up(run, loader.server, &mut prompts).await?;
    let decode_tokens_per_s = decode(run, loader.server, &mut prompts, &short.line).await?;

    let words_per_token = SHORT_PROMPT_WORDS as f64 / short.line.prompt_eval_count.max(1) as f64;
    let tokens = length(&plan, &short.line);
    run.reporter.running(Activity::MeasuringFirstToken { tokens, expected_s: predicted(&plan, tokens) });
    let words = (f64::from(tokens) * words_per_token) as usize;
    let long = answer(run, loader.server, prompts.next(words), 1, 2).await?;

    let prompt_tokens = long.line.prompt_eval_count;
    let first_token_s = long.first_token.as_secs_f64();
    let figures = MeasuredFigures {
        context_tokens: u32::try_from(facts.loaded.context_length).ok(),
        gpu_layers: gpu_layers(loader, &facts),
        n_cpu_moe: facts.n_cpu_moe(&plan),
        num_batch: num_batch(&facts.evidence),
        gpu_share: evidence::gpu_share(&facts.loaded, &facts.evidence),
        kv_cache_type: facts.evidence.kv_cache_types().map(|types| types.to_string().into()),
        vram_bytes: vram_bytes(&facts),
        weights_gpu_bytes: facts.evidence.weights_gpu_bytes(),
        weights_ram_bytes: facts.evidence.weights_ram_bytes(),
        prompt_cache_mib: facts.evidence.prompt_cache_mib,
        ram_bytes: ram_bytes(run),
        decode_tokens_per_s,
        prefill_tokens_per_s: per_second(prompt_tokens, long.line.prompt_eval_duration),
        first_token_s: Some(first_token_s),
        first_token_prompt_tokens: Some(prompt_tokens),
    };
    run.reporter.done(Activity::Measured { tokens_per_s: decode_tokens_per_s, first_token_s, prompt_tokens });
    Ok(Measured { figures, comparison })
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

/// As the log says, else as the runner's command line does.
fn num_batch(evidence: &LoadEvidence) -> Option<u32> {
    let argument = || evidence::argument(&evidence.command_line, "-ub")?.parse().ok();
    evidence.num_batch.or_else(argument)
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
