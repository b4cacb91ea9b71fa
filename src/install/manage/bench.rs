//! Measures what is installed again, and compares it with the receipt.

use std::path::Path;

use serde::Serialize;

use crate::control::Control;
use crate::figures::Range;
use crate::hardware::merge::merge;
use crate::hardware::{DetectOptions, collect};
use crate::install::blocking::runtime;
use crate::install::manage::installation::{client, installed};
use crate::install::manage::tips::tips_now;
use crate::install::prompt::Prompts;
use crate::install::slowed_cards::what_slows_cards;
use crate::install::state::documents::SERVED_MODEL;
use crate::install::timing::{
    ENOUGH_TOKENS, MeasuredAnswer, SHORT_PROMPT_WORDS, SILENCE, TimedPrompt, ask, others_share, per_second,
};
use crate::install::{InstallError, OtherWork, Paths, Receipt};
use crate::machine::{Finding, Hardware};
use crate::ollama::client::{Client, ClientError};
use crate::ollama::replies::Loaded;
use crate::plan::{Profiles, Tip, without_own_model};
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
    /// What slowed the card meanwhile and, where it is slower, programs on the card.
    pub other_work: Vec<OtherWork>,
    /// Where it is slower, and less of the model is on the card than then: the shares.
    pub less_on_card: Option<ShareOnCard>,
    /// Where it is slower: the tips that can explain it.
    pub tips: Vec<Tip>,
}

/// Shares of the model's bytes on the card, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ShareOnCard {
    /// Now.
    pub now: f64,
    /// After the installation or the last tuning.
    pub then: f64,
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
    let has_layers = receipt.as_ref().is_some_and(|receipt| receipt.predicted.gpu_layers > 0);
    let mut other_work = Vec::new();
    let work = measure(&client, long, &mut on_step, has_layers, &mut other_work);
    let now = runtime()?.block_on(control.or_cancelled(work))??;
    let other_processor_share = others_share(meter, &Paths::new(home));
    let slower = receipt.as_ref().map_or_else(Vec::new, |receipt| slower(&now, receipt));
    let (mut less_on_card, mut tips) = (None, Vec::new());
    if let Some(receipt) = receipt.filter(|_| !slower.is_empty()) {
        let loaded = runtime()?.block_on(client.ps()).unwrap_or_default();
        less_on_card = share_lost(loaded, receipt.measured.gpu_share);
        let hardware =
            without_own_model(&merge(&collect(&DetectOptions::new(home.to_owned()))), receipt.port);
        tips = tips_now(home, &hardware, &Profiles::built_in().policy).unwrap_or_else(|error| {
            tracing::info!(%error, "no tips for what is installed");
            Vec::new()
        });
        tips.retain(explains_slowness);
        other_work.extend(programs_on_cards(&hardware));
    }
    Ok(BenchReport { now, then, slower, other_processor_share, other_work, less_on_card, tips })
}

/// What can have come since the installation, and makes it slower.
fn explains_slowness(tip: &Tip) -> bool {
    matches!(
        tip,
        Tip::PlugIn
            | Tip::EndPowerSaving
            | Tip::RaisePowerLimit { .. }
            | Tip::CloseGpuPrograms { .. }
            | Tip::UnloadModel { .. }
            | Tip::CloseRamPrograms { .. }
    )
}

/// Programs that hold memory of a card.
fn programs_on_cards(hardware: &Hardware) -> Vec<OtherWork> {
    let program = |finding: &Finding| match finding {
        Finding::VramHeld { program, bytes, .. } => {
            Some(OtherWork::GpuProgram { program: program.clone(), bytes: *bytes })
        }
        _ => None,
    };
    hardware.notes.iter().filter_map(program).collect()
}

/// The shares of the model on the card, if there is less of it than `then`. Where the engine cannot tell, it reports all of
/// it, so a lower share is true.
fn share_lost(loaded: Vec<Loaded>, then: Option<f64>) -> Option<ShareOnCard> {
    /// Buffers differ by about so much from one load to the next.
    const TOLERANCE: f64 = 0.02;
    let ours = loaded.into_iter().find(|model| SERVED_MODEL.is(&model.name) && model.size > 0)?;
    let (now, then) = ((ours.size_vram as f64 / ours.size as f64).clamp(0.0, 1.0), then?);
    (now + TOLERANCE < then).then_some(ShareOnCard { now, then })
}

async fn measure(
    client: &Client,
    long: u64,
    on_step: &mut impl FnMut(BenchStep),
    has_layers: bool,
    other_work: &mut Vec<OtherWork>,
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
    // By now the card has worked for a while.
    let asked = ask(client, &mut prompts, long, SILENCE);
    let (answer, slowed) = tokio::join!(asked, what_slows_cards(has_layers));
    other_work.extend(slowed);
    let MeasuredAnswer { line, first_token } = answer?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_of_the_model_on_the_card_is_told_and_the_usual_difference_is_not() {
        let loaded = |size_vram| {
            let name = SERVED_MODEL.to_string();
            vec![Loaded { name, size: 8_000, size_vram, ..Loaded::default() }]
        };
        assert_eq!(share_lost(loaded(6_000), Some(1.0)), Some(ShareOnCard { now: 0.75, then: 1.0 }));
        assert_eq!(share_lost(loaded(7_900), Some(1.0)), None);
        assert_eq!(share_lost(loaded(8_000), Some(0.75)), None, "more of it");
        assert_eq!(share_lost(loaded(0), None), None);
        assert_eq!(share_lost(Vec::new(), Some(1.0)), None);
    }

    #[test]
    fn tips_on_what_has_not_changed_do_not_explain_slowness() {
        assert!(explains_slowness(&Tip::PlugIn) && explains_slowness(&Tip::EndPowerSaving));
        let driver = Tip::UpdateDriver { gpu: "card".into(), driver: "570".into(), branch: 580 };
        assert!(!explains_slowness(&driver));
    }
}
