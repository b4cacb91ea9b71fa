//! Measures what is installed again, and compares it with the receipt.

use std::path::Path;

use serde::Serialize;

use crate::control::Control;
use crate::figures::Range;
use crate::install::blocking::runtime;
use crate::install::manage::{client, installed};
use crate::install::prompt::Prompts;
use crate::install::timing::{
    ENOUGH_TOKENS, MeasuredAnswer, SHORT_PROMPT_WORDS, SILENCE, TimedPrompt, ask, others_share, per_second,
};
use crate::install::{InstallError, Paths, Receipt};
use crate::ollama::client::{Client, ClientError};
use crate::platform::processor_use::ProcessorMeter;

/// Maximum number of answers for one figure: a small model may end each after a few words.
const ANSWERS: u32 = 6;

/// What is measured next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BenchStep {
    /// Tokens per second.
    Speed,
    /// The wait for the first token of a prompt of this many tokens.
    FirstToken {
        /// Length of the prompt.
        tokens: u64,
    },
}

/// What was measured now, next to the receipt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchReport {
    /// Now.
    pub now: BenchFigures,
    /// After the installation or the last tuning; `None` without a receipt.
    pub then: Option<BenchFigures>,
    /// The figures that are worse than then by more than the range of the prediction.
    pub slower: Vec<BenchFigure>,
    /// Share of the processor that other programs used meanwhile, 0 to 1; `None` where the system does not tell.
    pub other_processor_share: Option<f64>,
}

/// Measured figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BenchFigures {
    /// Tokens written per second with a nearly empty context.
    pub decode_tokens_per_s: Option<f64>,
    /// Prompt tokens processed per second.
    pub prefill_tokens_per_s: Option<f64>,
    /// Seconds to the first token of the prompt.
    pub first_token_s: Option<f64>,
    /// Length of that prompt in tokens.
    pub first_token_prompt_tokens: Option<u64>,
}

/// One of the two figures that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BenchFigure {
    /// Tokens per second.
    Speed,
    /// Prompt tokens per second, and with them the first token.
    FirstToken,
}

/// Measures with prompts like those of the installation. Blocks until it is done.
///
/// # Errors
/// When nothing is installed, the server does not run or is another one, the engine fails, or the user cancels.
pub fn bench(
    home: &Path,
    control: &Control,
    mut on_step: impl FnMut(BenchStep),
) -> Result<BenchReport, InstallError> {
    let receipt = installed(home)?.receipt;
    let then = receipt.as_ref().map(|receipt| BenchFigures {
        decode_tokens_per_s: receipt.measured.decode_tokens_per_s,
        prefill_tokens_per_s: receipt.measured.prefill_tokens_per_s,
        first_token_s: receipt.measured.first_token_s,
        first_token_prompt_tokens: receipt.measured.first_token_prompt_tokens,
    });
    let client = client(home)?;
    let meter = ProcessorMeter::start();
    let long = then.and_then(|then| then.first_token_prompt_tokens).unwrap_or(2048);
    let now = runtime()?.block_on(control.or_cancelled(measure(&client, long, &mut on_step)))??;
    let other_processor_share = others_share(meter, &Paths::new(home));
    let slower = receipt.as_ref().map_or_else(Vec::new, |receipt| slower(&now, receipt));
    Ok(BenchReport { now, then, slower, other_processor_share })
}

async fn measure(
    client: &Client,
    long: u64,
    on_step: &mut impl FnMut(BenchStep),
) -> Result<BenchFigures, ClientError> {
    let mut prompts = Prompts::new();
    on_step(BenchStep::Speed);
    // The first answer includes loading and one-time set-up.
    let short = |num_predict, seed| TimedPrompt { words: SHORT_PROMPT_WORDS, num_predict, seed };
    let first = ask(client, &mut prompts, short(8, 0), SILENCE).await?.line;
    let words_per_token = SHORT_PROMPT_WORDS as f64 / first.prompt_eval_count.max(1) as f64;
    let (mut tokens, mut nanoseconds) = (0, 0);
    for seed in 0..ANSWERS {
        if tokens >= ENOUGH_TOKENS {
            break;
        }
        let line = ask(client, &mut prompts, short(96, seed), SILENCE).await?.line;
        tokens += line.eval_count;
        nanoseconds += line.eval_duration;
    }
    on_step(BenchStep::FirstToken { tokens: long });
    let words = (long as f64 * words_per_token) as usize;
    let long = TimedPrompt { words, num_predict: 1, seed: 0 };
    let MeasuredAnswer { line, first_token } = ask(client, &mut prompts, long, SILENCE).await?;
    Ok(BenchFigures {
        decode_tokens_per_s: per_second(tokens, nanoseconds),
        prefill_tokens_per_s: per_second(line.prompt_eval_count, line.prompt_eval_duration),
        first_token_s: Some(first_token.as_secs_f64()),
        first_token_prompt_tokens: Some(line.prompt_eval_count),
    })
}

/// What is worse than in the receipt by more than the prediction's range is wide.
fn slower(now: &BenchFigures, receipt: &Receipt) -> Vec<BenchFigure> {
    let (then, predicted) = (&receipt.measured, &receipt.predicted);
    let is_slower = |now: Option<f64>, then: Option<f64>, factor: f64| {
        now.zip(then).is_some_and(|(now, then)| now * factor < then)
    };
    let below = |range: Range| if range.low > 0.0 { range.mid / range.low } else { f64::INFINITY };
    let above = |range: Range| if range.mid > 0.0 { range.high / range.mid } else { f64::INFINITY };
    let speed =
        is_slower(now.decode_tokens_per_s, then.decode_tokens_per_s, below(predicted.decode_tokens_per_s));
    // By the rate, because the prompts are not of exactly one length.
    let first_token =
        is_slower(now.prefill_tokens_per_s, then.prefill_tokens_per_s, above(predicted.first_token_s));
    [(speed, BenchFigure::Speed), (first_token, BenchFigure::FirstToken)]
        .into_iter()
        .filter_map(|(is_slower, figure)| is_slower.then_some(figure))
        .collect()
}
