//! Times one prompt and its answer, for the measurement while installing and for the one repeated later.

use std::time::{Duration, Instant};

use crate::install::Paths;
use crate::install::prompt::Prompts;
use crate::install::state::documents::SERVED_MODEL;
use crate::ollama::client::{Client, ClientError, GenerateOptions, GenerateRequest};
use crate::ollama::own_server::OwnServer;
use crate::ollama::replies::GenerateLine;
use crate::platform::processor_use::ProcessorMeter;

/// Words of a short prompt.
pub const SHORT_PROMPT_WORDS: usize = 120;
/// Tokens that are enough to measure the speed.
pub const ENOUGH_TOKENS: u64 = 64;
/// Timeout while the engine processes a prompt. Far longer than expected, for very slow machines.
pub const SILENCE: Duration = Duration::from_secs(900);
/// Maximum number of prompts for one answer.
const PROMPTS: u32 = 3;
/// Between the seeds of these prompts; callers use fewer seeds than this.
const SEED_STEP: u32 = 12;

/// An answer of the engine.
pub struct MeasuredAnswer {
    /// Its last line, with the engine's counts and times.
    pub line: GenerateLine,
    /// Time to the first token, as we measured it.
    pub first_token: Duration,
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

/// Sends a prompt and times the answer; `silence` is the timeout while the engine sends nothing. The engine ends an answer that
/// repeats one token without its last line, which has the times: then another prompt is sent.
///
/// # Errors
/// When the engine does not answer.
pub async fn ask(
    client: &Client,
    prompts: &mut Prompts,
    timed: TimedPrompt,
    silence: Duration,
) -> Result<MeasuredAnswer, ClientError> {
    let mut last = timed;
    for _ in 1..PROMPTS {
        match send(client, prompts.next(last.words), last, silence).await {
            Err(ClientError::EndedEarly { .. }) => {}
            answer => return answer,
        }
        last.seed += SEED_STEP;
    }
    send(client, prompts.next(last.words), last, silence).await
}

async fn send(
    client: &Client,
    prompt: String,
    timed: TimedPrompt,
    silence: Duration,
) -> Result<MeasuredAnswer, ClientError> {
    let TimedPrompt { num_predict, seed, .. } = timed;
    let request = GenerateRequest {
        model: SERVED_MODEL.clone(),
        prompt,
        raw: true,
        truncate: false,
        options: GenerateOptions { num_predict, seed, temperature: 0.8 },
    };
    let (began, mut first_token) = (Instant::now(), None);
    let generating = client.generate(&request, silence, |_| {
        first_token.get_or_insert_with(|| began.elapsed());
    });
    let line = generating.await?;
    Ok(MeasuredAnswer { line, first_token: first_token.unwrap_or_else(|| began.elapsed()) })
}

/// Share of the processor that programs other than ours used since the meter started, 0 to 1; `None` where the system does not
/// tell.
pub fn others_share(meter: Option<ProcessorMeter>, paths: &Paths) -> Option<f64> {
    let server = OwnServer::of(&paths.engines()).processes();
    let mut ours: Vec<u32> = server.iter().map(|found| found.identity.pid).collect();
    ours.push(std::process::id());
    meter?.others_share(&ours)
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
