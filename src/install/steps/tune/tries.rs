//! One try: loads a setting, reads back what is in force, and measures it.

use std::time::Duration;

use crate::estimate::first_token_s;
use crate::install::prompt::Prompts;
use crate::install::steps::ladder::Shortage;
use crate::install::steps::loader::{LoadFacts, Loader, PlacementResult};
use crate::install::steps::placement::Placement;
use crate::install::steps::speed::answer_within;
use crate::install::steps::tune::other_work::OtherWorkWatch;
use crate::install::timing::{SHORT_PROMPT_WORDS, TimedPrompt, per_second};
use crate::install::{InstallError, LoadOutcome, RunnerOptions, TriedSpeed, TuneFailure, TuningRules};
use crate::ollama::client::ClientError;
use crate::ollama::evidence::{self, LoadEvidence};
use crate::ollama::failure::EngineFailure;
use crate::ollama::server::log_since;
use crate::plan::Plan;
use crate::platform::files;

/// Maximum number of answers for one figure: a model may end an answer after a few words.
const ANSWERS: u32 = 3;
/// Silence that is normal while the engine reads a short prompt.
const SHORT_SILENCE: Duration = Duration::from_secs(60);

/// How a try is measured.
pub struct TryMeasurement {
    /// Tokens of the filled context.
    pub filled_tokens: u32,
    /// Limits and steps.
    pub rules: &'static TuningRules,
}

/// How it ended.
pub enum TryResult {
    /// It was measured.
    Measured {
        /// Its speed.
        speed: TriedSpeed,
        /// The setting, with what the engine chose.
        setting: Placement,
        /// What the engine did.
        facts: Box<LoadFacts>,
    },
    /// It failed without an error.
    Failed(TuneFailure),
}

impl TryMeasurement {
    /// Loads the setting, unless `ready` has its facts, and measures it.
    ///
    /// # Errors
    /// Why it failed; [`failure_of`] has the reason. When the user cancels.
    pub async fn run(
        &self,
        loader: &mut Loader<'_>,
        setting: Placement,
        ready: Option<LoadFacts>,
        watch: &mut OtherWorkWatch,
    ) -> Result<TryResult, InstallError> {
        let facts = match ready {
            Some(facts) => Box::new(facts),
            None => match loader.try_placement(setting).await? {
                PlacementResult::Loaded(facts) => facts,
                PlacementResult::OutOfMemory => return Ok(TryResult::Failed(ran_out(loader))),
                PlacementResult::NoCard => {
                    let error = InstallError::LayersDropped { wanted: setting.gpu_layers, found: 0 };
                    return Ok(TryResult::Failed(failure_of(&error)));
                }
                PlacementResult::PinningFailed => return Ok(TryResult::Failed(TuneFailure::OutOfMemory)),
            },
        };
        let log_from = files::length(&loader.server.launch.log);
        let meter = watch.meter();
        let measured = self.measure(loader).await;
        watch.measured(meter, loader.run);
        let speed = match measured {
            Ok(Some(speed)) => speed,
            Ok(None) => return Ok(TryResult::Failed(TuneFailure::NothingWritten)),
            Err(error) if error.is_cancelled() => return Err(error),
            Err(error) => {
                // The log may tell that memory ran out where the answer does not.
                let log = LoadEvidence::parse(&log_since(&loader.server.launch.log, log_from));
                return match log.out_of_memory() {
                    Some(EngineFailure::OutOfMainMemory) => {
                        Ok(TryResult::Failed(TuneFailure::OutOfMainMemory))
                    }
                    Some(_) => Ok(TryResult::Failed(TuneFailure::OutOfMemory)),
                    None => Err(error),
                };
            }
        };
        Ok(match resolved(loader, setting, &facts) {
            Some(setting) => TryResult::Measured { speed, setting, facts },
            None => TryResult::Failed(TuneFailure::PlacementUnknown),
        })
    }

    async fn measure(&self, loader: &Loader<'_>) -> Result<Option<TriedSpeed>, InstallError> {
        let (run, server, tokens) = (loader.run, &*loader.server, self.rules.answer_tokens);
        let plan = &run.request.plan;
        let mut prompts = Prompts::new();
        let short = TimedPrompt { words: SHORT_PROMPT_WORDS, num_predict: 8, seed: 1 };
        let short = answer_within(run, server, &mut prompts, short, SHORT_SILENCE * 3).await?.line;
        let words_per_token = SHORT_PROMPT_WORDS as f64 / short.prompt_eval_count.max(1) as f64;

        let (mut written, mut nanoseconds) = (0, 0);
        for seed in 0..ANSWERS {
            let timed = TimedPrompt { words: SHORT_PROMPT_WORDS, num_predict: tokens, seed };
            let line = answer_within(run, server, &mut prompts, timed, SHORT_SILENCE).await?.line;
            written += line.eval_count;
            nanoseconds += line.eval_duration;
            if written * 2 >= u64::from(tokens) {
                break;
            }
        }
        let empty_tokens_per_s = per_second(written, nanoseconds);

        let words = (f64::from(self.filled_tokens) * words_per_token) as usize;
        let silence = silence(plan, self.filled_tokens);
        let (mut written, mut nanoseconds, mut filled) = (0, 0, None);
        for seed in 0..ANSWERS {
            let timed = TimedPrompt { words, num_predict: tokens, seed };
            let line = answer_within(run, server, &mut prompts, timed, silence).await?.line;
            written += line.eval_count;
            nanoseconds += line.eval_duration;
            filled = per_second(line.prompt_eval_count, line.prompt_eval_duration)
                .map(|rate| (line.prompt_eval_count, rate))
                .or(filled);
            if written >= 8 {
                break;
            }
        }
        let filled_tokens_per_s = per_second(written, nanoseconds);
        let (Some(empty_tokens_per_s), Some(filled_tokens_per_s), Some((filled_tokens, prompt_tokens_per_s))) =
            (empty_tokens_per_s, filled_tokens_per_s, filled)
        else {
            return Ok(None);
        };
        let turn_s = self.rules.turn.seconds(prompt_tokens_per_s, empty_tokens_per_s, filled_tokens_per_s);
        let speed = TriedSpeed {
            empty_tokens_per_s,
            filled_tokens_per_s,
            prompt_tokens_per_s,
            filled_tokens,
            turn_s,
        };
        Ok(turn_s.is_finite().then_some(speed))
    }
}

/// Estimated seconds for reading a prompt of this many tokens.
pub fn predicted_s(plan: &Plan, tokens: u32) -> f64 {
    first_token_s(&plan.candidate.model, &plan.setting, &plan.machine, tokens).mid
}

/// Timeout while the engine reads a prompt of this many tokens: clearly more than estimated.
pub fn silence(plan: &Plan, tokens: u32) -> Duration {
    let expected = first_token_s(&plan.candidate.model, &plan.setting, &plan.machine, tokens).high;
    SHORT_SILENCE
        + Duration::try_from_secs_f64(expected * 4.0)
            .unwrap_or(Duration::from_secs(840))
            .min(Duration::from_secs(840))
}

/// What the engine says of the options of its runner.
pub fn in_force(evidence: &LoadEvidence) -> RunnerOptions {
    let argument = || evidence::argument(&evidence.command_line, "-ub")?.parse().ok();
    RunnerOptions {
        num_batch: evidence.num_batch.or_else(argument),
        num_thread: evidence.num_thread,
        draft_num_predict: evidence.draft_num_predict(),
        use_mmap: evidence.use_mmap,
    }
}

/// The setting with what the engine chose of it, so that loading it again does the same; `None` where nothing could be
/// promised of it, because the engine does not say where it put the experts.
fn resolved(loader: &Loader<'_>, setting: Placement, facts: &LoadFacts) -> Option<Placement> {
    let plan = &loader.run.request.plan;
    let num_batch = setting.options.num_batch.or(in_force(&facts.evidence).num_batch);
    let options =
        RunnerOptions { num_batch: num_batch.or(Some(plan.candidate.num_batch)), ..setting.options };
    if !setting.automatic {
        return Some(Placement { options, ..setting });
    }
    let has_experts_there = plan.setting.n_cpu_moe > 0 || !facts.evidence.overflowing_layers.is_empty();
    let n_cpu_moe = if has_experts_there { facts.n_cpu_moe(plan)? } else { 0 };
    let gpu_layers = facts.evidence.offloaded.map_or(setting.gpu_layers, |(layers, _)| layers);
    Some(Placement { gpu_layers, n_cpu_moe, options, ..setting })
}

fn ran_out(loader: &Loader<'_>) -> TuneFailure {
    match loader.attempts.last().map(|attempt| &attempt.outcome) {
        Some(LoadOutcome::OutOfMainMemory) => TuneFailure::OutOfMainMemory,
        _ => TuneFailure::OutOfMemory,
    }
}

/// Which memory a failure means, if any.
pub fn shortage(failure: &TuneFailure) -> Option<Shortage> {
    match failure {
        TuneFailure::OutOfMemory => Some(Shortage::Card),
        TuneFailure::OutOfMainMemory | TuneFailure::RunnerEnded => Some(Shortage::MainMemory),
        _ => None,
    }
}

/// The reason of a try's error.
pub fn failure_of(error: &InstallError) -> TuneFailure {
    let message = || error.to_string().into();
    match error {
        InstallError::OutOfMemory { .. } => TuneFailure::OutOfMemory,
        InstallError::ContextClamped { .. }
        | InstallError::LayersDropped { .. }
        | InstallError::KvCacheTypeDiffers { .. }
        | InstallError::ParameterDropped { .. }
        | InstallError::NotListed => TuneFailure::NotAsTold { message: message() },
        InstallError::Engine(error) => match error {
            ClientError::EndedEarly { .. } => TuneFailure::AnswerCutShort,
            ClientError::Silent { seconds, .. } => TuneFailure::Silent { seconds: *seconds },
            ClientError::Unreachable { .. } | ClientError::NotListening { .. } => TuneFailure::ServerEnded,
            ClientError::Refused { message, failure, .. } => match failure {
                EngineFailure::OutOfMemory => TuneFailure::OutOfMemory,
                EngineFailure::OutOfMainMemory => TuneFailure::OutOfMainMemory,
                EngineFailure::RunnerEnded => TuneFailure::RunnerEnded,
                _ => TuneFailure::Refused { message: message.clone() },
            },
            other => TuneFailure::Refused { message: other.to_string().into() },
        },
        _ => TuneFailure::Refused { message: message() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart() {
        let path = "/api/generate";
        let refused = |message: &str| {
            let failure = EngineFailure::of(message);
            InstallError::Engine(ClientError::Refused { path, status: 500, message: message.into(), failure })
        };
        let killed = "llama-server process has terminated: signal: killed";
        let ended = "an error was encountered while running the model: unexpected EOF";
        for (error, failure) in [
            (refused(killed), TuneFailure::OutOfMainMemory),
            (refused("cudaMalloc failed: out of memory"), TuneFailure::OutOfMemory),
            (refused(ended), TuneFailure::RunnerEnded),
            (InstallError::Engine(ClientError::EndedEarly { path }), TuneFailure::AnswerCutShort),
            (
                InstallError::Engine(ClientError::Silent { path, seconds: 9 }),
                TuneFailure::Silent { seconds: 9 },
            ),
            (InstallError::Engine(ClientError::NotListening { port: 1 }), TuneFailure::ServerEnded),
        ] {
            assert_eq!(failure_of(&error), failure, "{error}");
        }
        assert_eq!(shortage(&TuneFailure::RunnerEnded), Some(Shortage::MainMemory));
        assert_eq!(shortage(&TuneFailure::AnswerCutShort), None);
    }
}
