//! Times prompts and answers.
//!
//! The engine counts and times tokens itself; we also time the first token, because the user waits for it. The engine
//! caches prompts, so every prompt here begins with new words. No option is set that would reload the model.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::install::InstallError;
use crate::install::event::Activity;
use crate::install::private_server::Server;
use crate::install::prompt::Prompts;
use crate::install::run_context::Run;
use crate::install::state::documents::SERVED_MODEL;
use crate::ollama::client::{ClientError, GenerateOptions, GenerateRequest};
use crate::ollama::replies::GenerateLine;

/// Tokens that are enough to measure the speed.
const ENOUGH_TOKENS: u64 = 64;
/// Maximum number of answers: a small model may end each after a few words.
const ANSWERS: u32 = 12;
/// Approximate time to spend on decoding.
const DECODE_LIMIT: Duration = Duration::from_secs(90);
/// Maximum number of prompts for one answer.
const PROMPTS: u32 = 3;
/// Minimum length of an answer to request, in tokens.
const MIN_TOKENS: u32 = 4;
/// Words of a short prompt.
pub const SHORT_PROMPT_WORDS: usize = 120;
/// Timeout while the engine processes a prompt. Far longer than expected, for very slow machines.
const SILENCE: Duration = Duration::from_secs(900);

/// An answer of the engine.
pub struct MeasuredAnswer {
    /// Its last line, with the engine's counts and times.
    pub line: GenerateLine,
    /// Time to the first token, as we measured it.
    pub first_token: Duration,
}

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

/// A prompt whose answer is timed.
#[derive(Clone, Copy, Debug)]
pub struct TimedPrompt {
    /// Length of the prompt in words.
    pub words: usize,
    /// Most tokens of the answer.
    pub num_predict: u32,
    /// Seed of the answer.
    pub seed: u32,
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

/// The same, with a timeout while the engine is silent. The engine ends an answer that repeats one token without its last
/// line, which has the times: then another prompt is sent.
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
    let mut last = timed;
    for _ in 1..PROMPTS {
        match send(run, server, prompts.next(last.words), last, silence).await {
            Err(InstallError::Engine(ClientError::EndedEarly { .. })) => {}
            answer => return answer,
        }
        last.seed += ANSWERS;
    }
    send(run, server, prompts.next(last.words), last, silence).await
}

async fn send(
    run: &Run<'_>,
    server: &Server,
    prompt: String,
    timed: TimedPrompt,
    silence: Duration,
) -> Result<MeasuredAnswer, InstallError> {
    let TimedPrompt { num_predict, seed, .. } = timed;
    let request = GenerateRequest {
        model: SERVED_MODEL.clone(),
        prompt,
        raw: true,
        truncate: false,
        options: GenerateOptions { num_predict, seed, temperature: 0.8 },
    };
    let began = Instant::now();
    let first_token = Cell::new(None);
    let generating = server.client.generate(&request, silence, |_| {
        first_token.set(first_token.get().or_else(|| Some(began.elapsed())));
    });
    let activity = |seconds| Activity::StillMeasuring { seconds };
    let line = run.or_cancelled_reporting(generating, Duration::from_secs(5), activity).await??;
    Ok(MeasuredAnswer { line, first_token: first_token.get().unwrap_or_else(|| began.elapsed()) })
}

/// A rate per second; `None` if nothing was counted or timed.
pub fn per_second(count: u64, nanoseconds: u64) -> Option<f64> {
    (count > 0 && nanoseconds > 0).then(|| count as f64 * 1e9 / nanoseconds as f64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn without_counts_there_is_no_rate() {
        assert_eq!(per_second(0, 10), None);
        assert_eq!(per_second(10, 0), None);
        assert_eq!(per_second(12, 206_410_000).unwrap().round(), 58.0);
    }
}
