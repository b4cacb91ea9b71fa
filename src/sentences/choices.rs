//! Words for the three choices: their names, where the bytes of a model lie, and why each was made.

use crate::plan::{CUSTOM_ID, Choice, EMERGENCY_ID, Plan, Role, Why};
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

/// What a profile's id is called: a choice and the emergency mode have names in the user's language, a profile is called
/// by its id.
pub fn profile_title(id: &str, text: Text) -> String {
    match (Role::of_id(id), id) {
        (Some(role), _) => role.title(text),
        (None, EMERGENCY_ID) => say!(text, "plan-emergency-title"),
        (None, CUSTOM_ID) => say!(text, "plan-custom-title"),
        (None, profile) => profile.to_owned(),
    }
}

/// What a plan is called in a heading: a profile by its id, anything else by its model.
pub fn plan_name(plan: &Plan) -> String {
    let id = plan.candidate.id.as_str();
    let is_profile = Role::of_id(id).is_none() && id != EMERGENCY_ID && id != CUSTOM_ID;
    if is_profile { id.to_owned() } else { plan.candidate.model.title.to_string() }
}

/// The names of all roles that one setting has.
pub fn role_names(roles: &[Role], text: Text) -> String {
    roles.iter().map(|role| role.title(text)).collect::<Vec<_>>().join(" · ")
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
        let what = plan_sentence(plan, text);
        let stars = plan.quality.as_ref().map_or(0, |quality| quality.stars);
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

/// Model, placement and speed of a plan, as a sentence.
pub fn plan_sentence(plan: &Plan, text: Text) -> String {
    say!(
        text,
        "plan-why-what",
        title = plan.candidate.model.title.as_str(),
        placement = plan.placement(text),
        speed = text.figure(plan.speed.decode_tokens_per_s.mid),
        full = text.figure(plan.speed.decode_at_full_context_tokens_per_s.mid),
        context = text.count(u64::from(plan.candidate.context_tokens))
    )
}

/// Where a plan's weights are, as a sentence.
pub fn placement_sentence(plan: &Plan, text: Text) -> String {
    say!(
        text,
        "plan-placement-sentence",
        title = plan.candidate.model.title.as_str(),
        placement = plan.placement(text),
        batch = text.count(u64::from(plan.setting.num_batch))
    )
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
