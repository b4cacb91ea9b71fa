//! Sentences about how good a model is.

use crate::models::{Evaluator, Quality, Score};
use crate::say;
use crate::text::Text;

/// The best rating.
const MAX_STARS: usize = 5;

impl Quality {
    /// The stars, as in `★★★☆☆`.
    pub fn stars_drawn(&self) -> String {
        let stars = usize::from(self.stars).min(MAX_STARS);
        format!("{}{}", "★".repeat(stars), "☆".repeat(MAX_STARS - stars))
    }

    /// One word for the stars.
    pub fn word(&self, text: Text) -> String {
        match self.stars {
            0 | 1 => say!(text, "plan-quality-weak"),
            2 => say!(text, "plan-quality-basic"),
            3 => say!(text, "plan-quality-fair"),
            4 => say!(text, "plan-quality-good"),
            _ => say!(text, "plan-quality-excellent"),
        }
    }

    /// The same word for programs.
    pub fn code(&self) -> &'static str {
        match self.stars {
            0 | 1 => "weak",
            2 => "basic",
            3 => "fair",
            4 => "good",
            _ => "excellent",
        }
    }

    /// The score that counts most and who measured it: `SWE-bench Verified 64.4 %, independent`.
    pub fn strongest_basis(&self, text: Text) -> Option<String> {
        let score = self.basis.first()?;
        Some(say!(
            text,
            "plan-quality-basis",
            benchmark = score.benchmark.as_str(),
            score = score.shown(text),
            who = if self.is_maker_only {
                say!(text, "plan-quality-maker-only")
            } else {
                score.evaluator.title(text)
            }
        ))
    }
}

impl Evaluator {
    /// Who measured a score, as part of a sentence.
    pub fn title(self, text: Text) -> String {
        match self {
            Self::Independent => say!(text, "plan-quality-independent"),
            Self::OtherMaker => say!(text, "plan-quality-other-maker"),
            Self::Maker => say!(text, "plan-quality-maker"),
        }
    }
}

impl Score {
    /// `64.4 %`, or `6 of 8` where the benchmark counts tasks.
    fn shown(&self, text: Text) -> String {
        if (self.most - 100.0).abs() < f64::EPSILON {
            return format!("{}\u{a0}%", text.figure(self.score));
        }
        let (part, whole) = (text.decimal(self.score, 0), text.decimal(self.most, 0));
        say!(text, "wizard-of", part = part, whole = whole)
    }
}

/// The quality in a line: `GOOD ★★★★☆ (SWE-bench Verified 64.4 %, independent)`, or that it is not rated.
pub fn quality_line(quality: Option<&Quality>, text: Text) -> String {
    let Some(quality) = quality else { return say!(text, "plan-quality-not-rated-why") };
    let word = quality.word(text).to_uppercase();
    let basis = quality.strongest_basis(text).map(|basis| format!(" ({basis})")).unwrap_or_default();
    format!("{word} {}{basis}", quality.stars_drawn())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::models::{Catalogue, KvCacheType, Ratings};
    use crate::text::Language;

    fn line(tag: &str, language: Language) -> String {
        let model = Catalogue::built_in().find(tag).unwrap();
        let quality = Ratings::built_in().quality(&model, KvCacheType::Q8_0);
        quality_line(quality.as_ref(), Text::new(language))
    }

    #[test]
    fn a_line_has_word_stars_and_the_strongest_score() {
        assert_eq!(
            line("qwen3.6:35b", Language::English),
            "EXCELLENT ★★★★★ (SWE-bench Verified 64.4\u{a0}%, independent)"
        );
        assert_eq!(
            line("qwen3.6:35b", Language::Spanish),
            "EXCELENTE ★★★★★ (SWE-bench Verified 64,4\u{a0}%, independiente)"
        );
        assert_eq!(
            line("muse-glimmer:30b", Language::English),
            "GOOD ★★★★☆ (SWE-bench Verified 76.0\u{a0}%, only its maker's figures)"
        );
        assert_eq!(
            line("granite4.2:8b", Language::English),
            "not rated (no published coding score is known for it)"
        );
    }
}
