//! The measurement: tokens written a second, and the wait for the first token of a long prompt.
//!
//! The engine counts and times tokens itself; the wait is timed by us as well, because that is what a person feels. A
//! prompt the engine has seen is answered from its cache, so every prompt here begins with words that have never been
//! sent. The length of the long one is chosen so that reading it takes about a minute at most, by the estimate and by
//! the rate of a first short prompt, whichever is slower. It stays well below the context, and what is reported is the
//! number of tokens the engine says it read. Nothing here sets an option that would load the model anew.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::control::Cancelled;
use crate::estimate::first_token_s;
use crate::figures::Range;
use crate::install::prompt::Prompts;
use crate::install::run::Job;
use crate::install::state::documents::SERVED_MODEL;
use crate::install::steps::compare;
use crate::install::steps::load::Facts;
use crate::install::steps::server::Server;
use crate::install::{InstallError, MeasuredFigures, Step};
use crate::ollama::client::{GenerateOptions, GenerateRequest};
use crate::ollama::evidence;
use crate::ollama::replies::GenerateLine;
use crate::ollama::server::servers;
use crate::platform::process;
use crate::say;

/// Tokens that are enough to know the speed by.
const ENOUGH_TOKENS: u64 = 64;
/// Answers asked for at most: a small model may end each of them after a few words.
const ANSWERS: u32 = 12;
/// Time spent on writing, about.
const DECODE_LIMIT: Duration = Duration::from_secs(90);
/// An answer shorter than this is not worth asking for.
const LEAST_TOKENS: u32 = 4;
/// How long reading the long prompt may take.
const PREFILL_LIMIT_S: f64 = 60.0;
/// The shortest long prompt, in tokens.
const SHORTEST_TOKENS: u32 = 512;
/// Words of the first short prompt.
const SHORT_PROMPT_WORDS: usize = 120;
/// How long the engine may be silent while it reads. Far more than was chosen, for machines that surprise.
const SILENCE: Duration = Duration::from_secs(900);

/// What was measured, and what had been predicted for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The figures.
    pub figures: MeasuredFigures,
    /// The wait predicted for a prompt of the measured length.
    pub predicted_first_token_s: Range,
}

/// One answer of the engine with our own time for its first token.
struct Answer {
    line: GenerateLine,
    first_token: Duration,
}

/// Runs the step.
pub async fn run(job: &mut Job<'_>, server: &Server, facts: Facts) -> Result<Measured, InstallError> {
    job.reporter.started(Step::Measure, say!(job.text, "install-measuring-speed"));
    let facts = compare::run(job, server, facts).await?;
    job.reporter.running(say!(job.text, "install-measuring-speed"));
    let mut prompts = Prompts::new();
    // Also warms up what is only set up at first use, so that it does not count.
    let short = answer(job, server, prompts.next(SHORT_PROMPT_WORDS), 8, 1).await?;
    let decode_tokens_per_s = decode(job, server, &mut prompts, &short.line).await?;

    let words_per_token = SHORT_PROMPT_WORDS as f64 / short.line.prompt_eval_count.max(1) as f64;
    let tokens = length(job, &short.line);
    let expected = predicted(job, tokens);
    let (count, range) = (job.text.count(tokens.into()), job.text.range(expected));
    job.reporter.running(say!(job.text, "install-measuring-wait", tokens = count, seconds = range));
    let words = (f64::from(tokens) * words_per_token) as usize;
    let long = answer(job, server, prompts.next(words), 1, 2).await?;

    let prompt_tokens = long.line.prompt_eval_count;
    let figures = MeasuredFigures {
        context_tokens: u32::try_from(facts.loaded.context_length).ok(),
        gpu_layers: gpu_layers(job, &facts),
        gpu_share: evidence::gpu_share(&facts.loaded, &facts.evidence),
        kv_cache_type: facts.evidence.kv_cache_types().map(|types| types.to_string()),
        vram_bytes: vram_bytes(&facts),
        ram_bytes: ram_bytes(job),
        decode_tokens_per_s,
        prefill_tokens_per_s: per_second(prompt_tokens, long.line.prompt_eval_duration),
        first_token_s: Some(long.first_token.as_secs_f64()),
        first_token_prompt_tokens: Some(prompt_tokens),
    };
    let speed =
        decode_tokens_per_s.map_or_else(|| say!(job.text, "install-unknown"), |speed| job.text.figure(speed));
    let wait = job.text.figure(long.first_token.as_secs_f64());
    let count = job.text.count(prompt_tokens);
    job.reporter.done(say!(job.text, "install-measured", speed = speed, wait = wait, tokens = count));
    let measured_tokens = u32::try_from(prompt_tokens).unwrap_or(tokens);
    Ok(Measured { figures, predicted_first_token_s: predicted(job, measured_tokens) })
}

/// Tokens written a second by what is loaded now.
pub async fn decode_speed(job: &Job<'_>, server: &Server) -> Result<Option<f64>, InstallError> {
    let mut prompts = Prompts::new();
    let short = answer(job, server, prompts.next(SHORT_PROMPT_WORDS), 8, 1).await?;
    decode(job, server, &mut prompts, &short.line).await
}

/// Tokens written a second, over as many answers as it takes to have enough of them. Where writing is so slow that this
/// would take minutes, over what fits the time.
async fn decode(
    job: &Job<'_>,
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
        if missing == 0 || in_time < LEAST_TOKENS {
            break;
        }
        // More than is missing: the first token of an answer comes from reading the prompt, so long answers count best.
        let num_predict = (missing.max(32) + 32).min(in_time);
        let answer = answer(job, server, prompts.next(SHORT_PROMPT_WORDS), num_predict, seed).await?;
        tokens += answer.line.eval_count;
        nanoseconds += answer.line.eval_duration;
    }
    // The first answer warmed up what is only set up at first use; it counts only where there is nothing else.
    let counted = per_second(tokens - warm_up.0, nanoseconds - warm_up.1);
    Ok(counted.or_else(|| per_second(tokens, nanoseconds)))
}

/// How long the long prompt is to be, in tokens.
fn length(job: &Job<'_>, short: &GenerateLine) -> u32 {
    let context = job.request.plan.candidate.context_tokens;
    // Room for the answer, and for texts that take a few more tokens than the short one let expect.
    let longest = context - context / 12;
    let rate = per_second(short.prompt_eval_count, short.prompt_eval_duration).unwrap_or(f64::INFINITY);
    longest_within(longest, |tokens| {
        predicted(job, tokens).mid.max(f64::from(tokens) / rate) <= PREFILL_LIMIT_S
    })
}

/// The largest length up to `longest` that is fast enough, but no less than [`SHORTEST_TOKENS`]. What is fast enough
/// for a length is so for every shorter one.
fn longest_within(longest: u32, fast_enough: impl Fn(u32) -> bool) -> u32 {
    let (mut good, mut bad) = (SHORTEST_TOKENS, longest.max(SHORTEST_TOKENS) + 1);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fast_enough(middle) { good = middle } else { bad = middle }
    }
    good
}

fn predicted(job: &Job<'_>, prompt_tokens: u32) -> Range {
    let plan = &job.request.plan;
    first_token_s(&plan.candidate.model, &plan.setting, &plan.machine, prompt_tokens)
}

async fn answer(
    job: &Job<'_>,
    server: &Server,
    prompt: String,
    num_predict: u32,
    seed: u32,
) -> Result<Answer, InstallError> {
    let request = GenerateRequest {
        model: SERVED_MODEL.to_owned(),
        prompt,
        raw: true,
        truncate: false,
        options: GenerateOptions { num_predict, seed, temperature: 0.8 },
    };
    let began = Instant::now();
    let first_token = Cell::new(None);
    let generating = server.client.generate(&request, SILENCE, |_| {
        first_token.set(first_token.get().or_else(|| Some(began.elapsed())));
    });
    tokio::pin!(generating);
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    tick.tick().await;
    let line = loop {
        tokio::select! {
            biased;
            () = job.control.token().cancelled() => return Err(Cancelled.into()),
            line = &mut generating => break line?,
            _ = tick.tick() => {
                let duration = job.text.duration(began.elapsed().as_secs_f64());
                job.reporter.running(say!(job.text, "install-measuring-since", duration = duration));
            }
        }
    };
    Ok(Answer { line, first_token: first_token.get().unwrap_or_else(|| began.elapsed()) })
}

fn per_second(count: u64, nanoseconds: u64) -> Option<f64> {
    (count > 0 && nanoseconds > 0).then(|| count as f64 * 1e9 / nanoseconds as f64)
}

/// Layers as the log says; none where the engine handed no GPU over.
fn gpu_layers(job: &Job<'_>, facts: &Facts) -> Option<u32> {
    let told = facts.evidence.offloaded.map(|(on, _)| on);
    told.or_else(|| (job.gpu_layers == 0 && facts.loaded.size_vram == 0).then_some(0))
}

fn vram_bytes(facts: &Facts) -> Option<u64> {
    facts.evidence.gpu_bytes().or_else(|| (facts.loaded.size_vram == 0).then_some(0))
}

/// Main memory of the server with its children.
fn ram_bytes(job: &Job<'_>) -> Option<u64> {
    let server = servers(&job.paths.engines()).into_iter().next()?;
    process::memory_of_tree(server.identity.pid)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_long_prompt_is_as_long_as_the_time_allows() {
        assert_eq!(longest_within(30_000, |_| true), 30_000);
        assert_eq!(longest_within(30_000, |_| false), SHORTEST_TOKENS);
        assert_eq!(longest_within(30_000, |tokens| tokens <= 4_321), 4_321);
        assert_eq!(longest_within(10, |_| true), SHORTEST_TOKENS);
    }

    #[test]
    fn nothing_measured_is_not_a_speed() {
        assert_eq!(per_second(0, 10), None);
        assert_eq!(per_second(10, 0), None);
        assert_eq!(per_second(12, 206_410_000).unwrap().round(), 58.0);
    }
}
