//! A row of the reference table in words.

use crate::plan::ReferenceComputer;
use crate::say;
use crate::text::Text;

/// A row in words, the same in the window and the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceWords {
    /// `8 + 16 GB`.
    pub computer: String,
    /// What was expected, in tokens a second.
    pub expected_speed: String,
    /// Of which model, on how many layers.
    pub expected_model: String,
    /// What is computed, as a range in tokens a second.
    pub computed_speed: String,
    /// With which profile, on how many layers.
    pub computed_profile: String,
    /// The card it is computed for.
    pub card: String,
}

impl ReferenceWords {
    /// The words of a row.
    pub fn of(computer: &ReferenceComputer, text: Text) -> Self {
        let row = computer.row;
        let expected = &row.expected;
        // Whole numbers as they were written: decimals would claim more than anybody knew.
        let [low, high] = expected.tokens_per_s.map(|speed| text.decimal(speed, 0));
        let expected_speed = if low == high { low } else { format!("{low}–{high}") };
        let thousands = |tokens: u32| text.count(u64::from(tokens / 1024));
        let best = computer.report.recommended();
        let speed = |figures: String| say!(text, "plan-reference-speed", speed = figures);
        Self {
            computer: say!(text, "plan-reference-size", vram = row.vram_gb, ram = row.ram_gb),
            expected_speed: speed(expected_speed),
            expected_model: say!(
                text,
                "plan-reference-setting",
                what = expected.model.as_str(),
                part = expected.gpu_layers,
                whole = expected.gpu_layers + expected.cpu_layers,
                thousands = thousands(expected.context_tokens)
            ),
            computed_speed: best
                .map_or_else(|| "–".to_owned(), |best| speed(text.range(best.speed.decode_tokens_per_s))),
            computed_profile: best.map_or_else(
                || computer.report.verdict.title(text),
                |best| {
                    say!(
                        text,
                        "plan-reference-setting",
                        what = best.candidate.id.as_str(),
                        part = best.gpu_layers(),
                        whole = best.total_layers,
                        thousands = thousands(best.candidate.context_tokens)
                    )
                },
            ),
            card: row.card.trim_start_matches("NVIDIA GeForce ").to_owned(),
        }
    }
}
