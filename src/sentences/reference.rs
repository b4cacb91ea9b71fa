//! Texts of a row of the reference table.

use crate::plan::ReferenceComputer;
use crate::say;
use crate::text::Text;

/// Texts of a row, the same in the window and the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceWords {
    /// `8 + 16 GB`.
    pub computer: String,
    /// Expected tokens a second.
    pub expected_speed: String,
    /// Expected model and layers.
    pub expected_model: String,
    /// Estimated tokens a second, as a range.
    pub computed_speed: String,
    /// Recommended profile and layers.
    pub computed_profile: String,
    /// The card of the estimate.
    pub card: String,
}

impl ReferenceWords {
    /// The texts of a row.
    pub fn of(computer: &ReferenceComputer, text: Text) -> Self {
        let row = computer.row;
        let expected = &row.expected;
        // Whole numbers, as in the original table: decimals would suggest a precision it does not have.
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
