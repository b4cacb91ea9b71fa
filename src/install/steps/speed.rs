//! Times prompts and answers.
//!
//! The engine counts and times tokens itself; we also time the first token, because the user waits for it. The engine
//! caches prompts, so every prompt here begins with new words. No option is set that would reload the model.

use std::time::{Duration, Instant};

use crate::install::InstallError;
use crate::install::event::Activity;
use crate::install::private_server::Server;
use crate::install::prompt::Prompts;
use crate::install::run_context::Run;
use crate::install::timing::{
    ENOUGH_TOKENS, MeasuredAnswer, SHORT_PROMPT_WORDS, SILENCE, TimedPrompt, ask, per_second,
};
use crate::ollama::replies::GenerateLine;

/// Maximum number of answers: a small model may end each after a few words.
const ANSWERS: u32 = 12;
/// Approximate time to spend on decoding.
const DECODE_LIMIT: Duration = Duration::from_secs(90);
/// Minimum length of an answer to request, in tokens.
const MIN_TOKENS: u32 = 4;

/// Sends a first short prompt, so that one-time set-up of the engine is not measured.
///
/// # Errors
/// When the engine does not answer, or the user cancels.
pub async fn warm_up(
    run: &Run<'_>,
    server: &Server,
    prompts: &mut Prompts,
) -> Result<MeasuredAnswer, InstallError> {
    answer(run, server, prompts, TimedPrompt { words: SHORT_PROMPT_WORDS, num_predict: 8, seed: 1 }).await
}

/// Tokens per second, over as many answers as needed for [`ENOUGH_TOKENS`], or as fit into [`DECODE_LIMIT`].
///
/// # Errors
/// When the engine does not answer, or the user cancels.
pub async fn decode(
    run: &Run<'_>,
    server: &Server,
    prompts: &mut Prompts,
    short: &GenerateLine,
) -> Result<Option<f64>, InstallError> {
    let (mut tokens, mut nanoseconds) = (short.eval_count, short.eval_duration);
    let warm_up = (tokens, nanoseconds);
    let began = Instant::now();
    for seed in 0..ANSWERS {
        let left = DECODE_LIMIT.saturating_sub(began.elapsed()).as_secs_f64();
        let in_time = per_second(tokens, nanoseconds).map_or(u32::MAX, |rate| (rate * left) as u32);
        let missing = u32::try_from((warm_up.0 + ENOUGH_TOKENS).saturating_sub(tokens)).unwrap_or(0);
        if missing == 0 || in_time < MIN_TOKENS {
            break;
        }
        // Request more than is missing: the first token of an answer includes prompt processing, so longer answers are
        // more accurate.
        let num_predict = (missing.max(32) + 32).min(in_time);
        let timed = TimedPrompt { words: SHORT_PROMPT_WORDS, num_predict, seed };
        let answer = answer(run, server, prompts, timed).await?;
        tokens += answer.line.eval_count;
        nanoseconds += answer.line.eval_duration;
    }
    // The first answer includes one-time set-up; it counts only if there is no other.
    let counted = per_second(tokens - warm_up.0, nanoseconds - warm_up.1);
    Ok(counted.or_else(|| per_second(tokens, nanoseconds)))
}

/// Sends a prompt and times the answer.
///
/// # Errors
/// When the engine does not answer, or the user cancels.
pub async fn answer(
    run: &Run<'_>,
    server: &Server,
    prompts: &mut Prompts,
    timed: TimedPrompt,
) -> Result<MeasuredAnswer, InstallError> {
    answer_within(run, server, prompts, timed, SILENCE).await
}

/// The same, with a timeout while the engine is silent.
///
/// # Errors
/// When the engine does not answer, or the user cancels.
pub async fn answer_within(
    run: &Run<'_>,
    server: &Server,
    prompts: &mut Prompts,
    timed: TimedPrompt,
    silence: Duration,
) -> Result<MeasuredAnswer, InstallError> {
    let asking = ask(&server.client, prompts, timed, silence);
    let activity = |seconds| Activity::StillMeasuring { seconds };
    Ok(run.or_cancelled_reporting(asking, Duration::from_secs(5), activity).await??)
}
