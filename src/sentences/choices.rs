//! Words for the three choices: their names, where the bytes of a model lie, and why each was made.

use crate::plan::{Choice, Plan, Role, Why};
use crate::say;
use crate::text::Text;

impl Role {
    /// Its name.
    pub fn title(self, text: Text) -> String {
        match self {
            Self::Recommended => say!(text, "plan-choice-recommended"),
            Self::Smartest => say!(text, "plan-choice-smartest"),
            Self::Fastest => say!(text, "plan-choice-fastest"),
        }
    }
}

impl Plan {
    /// Where the model's weights are, in a few words.
    pub fn placement(&self, text: Text) -> String {
        let processor = self.total_layers.saturating_sub(self.gpu_layers());
        if self.gpu_layers() == 0 {
            say!(text, "plan-placement-processor")
        } else if self.setting.n_cpu_moe > 0 {
            say!(
                text,
                "plan-placement-experts",
                blocks = self.setting.n_cpu_moe,
                total = self.total_layers.saturating_sub(1)
            )
        } else if processor > 0 {
            say!(text, "plan-placement-partial", layers = processor, total = self.total_layers)
        } else if self.machine.gpus.len() > 1 {
            say!(text, "plan-placement-cards", cards = self.machine.gpus.len())
        } else {
            say!(text, "plan-placement-whole")
        }
    }
}

impl Choice {
    /// Why this one, in one sentence: model, placement, speed, and what it is better than.
    pub fn why(&self, text: Text) -> String {
        let plan = &self.plan;
        let what = say!(
            text,
            "plan-why-what",
            title = plan.candidate.model.title.as_str(),
            placement = plan.placement(text),
            speed = text.figure(plan.speed.decode_tokens_per_s.mid),
            full = text.figure(plan.speed.decode_at_full_context_tokens_per_s.mid),
            context = text.count(u64::from(plan.candidate.context_tokens))
        );
        let stars = plan.quality().map_or(0, |quality| quality.stars);
        let comparison = match &self.why {
            Why::Best { of_models } => say!(text, "plan-why-best", stars = stars, models = *of_models),
            Why::SmarterThanWhole { other, stars: theirs } => {
                say!(text, "plan-why-smarter", stars = stars, other = other.as_str(), theirs = *theirs)
            }
            Why::FasterThanSmartest { other, stars: theirs, times } => say!(
                text,
                "plan-why-faster-than-smartest",
                stars = stars,
                other = other.as_str(),
                theirs = *theirs,
                times = text.figure(*times)
            ),
            Why::FasterThanRecommended { other, times } => {
                say!(text, "plan-why-faster", other = other.as_str(), times = text.figure(*times))
            }
            Why::SameAs(Role::Recommended) => say!(text, "plan-why-same-as-recommended"),
            Why::SameAs(_) => say!(text, "plan-why-same-as-smartest"),
            Why::Only => say!(text, "plan-why-only"),
        };
        format!("{what} {comparison}")
    }
}

/// That a plan runs, and which choice is better in every respect.
pub fn dominated_line(better: &Choice, text: Text) -> String {
    say!(
        text,
        "plan-dominated",
        title = better.plan.candidate.model.title.as_str(),
        role = better.role.title(text).to_lowercase()
    )
}
