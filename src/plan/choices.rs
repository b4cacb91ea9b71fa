//! The three choices for a machine, found among all models of the catalogue, and why each was made.
//!
//! [`crate::plan::search`] finds every setting in which a model runs here; this file picks the recommended, the smartest
//! and the fastest of them by the rule in `assets/profiles.yaml` (`choices`).

use crate::machine::Hardware;
use crate::models::Catalogue;
use crate::plan::candidates::own_candidate;
use crate::plan::profiles::{CUSTOM_ID, EMERGENCY_ID};
use crate::plan::search::Search;
use crate::plan::setting::Setting;
use crate::plan::{ChoiceRules, Inventory, Layers, Plan, Profiles, Role, Verdict, make_plan};
use crate::untrusted::UntrustedText;

/// One of the three choices.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What it is good for.
    pub role: Role,
    /// Its plan; its candidate's id is the role's.
    pub plan: Plan,
    /// Why this one.
    pub why: Why,
}

/// Why a choice was made: how it compares with another setting on the same machine.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// It has the most stars of all models that run here.
    Best {
        /// How many models run here.
        of_models: usize,
    },
    /// It has more stars than the best model that fits the card whole.
    SmarterThanWhole {
        /// Title of that model.
        other: UntrustedText,
        /// Its stars.
        stars: u8,
    },
    /// It is faster than the smartest choice.
    FasterThanSmartest {
        /// Title of the smartest choice.
        other: UntrustedText,
        /// Its stars.
        stars: u8,
        /// How many times as fast.
        times: f64,
    },
    /// It is faster than the recommended choice.
    FasterThanRecommended {
        /// Title of the recommended choice.
        other: UntrustedText,
        /// How many times as fast.
        times: f64,
    },
    /// It is the same setting as another choice.
    SameAs(Role),
    /// It is the only model that runs here.
    Only,
}

/// What the search found for a machine.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// Recommended, smartest, fastest; empty if no model runs on a card here.
    pub choices: Vec<Choice>,
    /// Every model of the catalogue in its best setting, in the order of the catalogue.
    pub models: Vec<Plan>,
    /// The best choice on the processor alone; `None` if no model runs there.
    pub emergency_cpu: Option<Plan>,
}

impl Choices {
    /// The choice of a role.
    pub fn find(&self, role: Role) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.role == role)
    }

    /// The choices without those that are the same setting as another, each with all its roles.
    pub fn distinct(&self) -> impl Iterator<Item = (&Choice, Vec<Role>)> {
        let shown = self.choices.iter().filter(|choice| !matches!(choice.why, Why::SameAs(_)));
        shown.map(|choice| {
            let same = self.choices.iter().filter(|other| other.why == Why::SameAs(choice.role));
            (choice, std::iter::once(choice.role).chain(same.map(|other| other.role)).collect())
        })
    }

    /// The same with the contents of the drives.
    #[must_use]
    pub fn with_inventory(mut self, inventory: &Inventory) -> Self {
        for choice in &mut self.choices {
            choice.plan = choice.plan.clone().with_inventory(inventory);
        }
        for plan in self.models.iter_mut().chain(&mut self.emergency_cpu) {
            *plan = plan.clone().with_inventory(inventory);
        }
        self
    }

    /// The choice that is at least as good as a plan in every respect, and better in one: stars, speed, wait, context.
    pub fn better_than(&self, plan: &Plan) -> Option<&Choice> {
        self.choices.iter().find(|choice| dominates(&choice.plan, plan))
    }
}

/// Whether a plan is at least as good as another in every respect, and better in one.
fn dominates(one: &Plan, other: &Plan) -> bool {
    let (Some(stars), Some(other_stars)) = (&one.quality, &other.quality) else { return false };
    let speed = |plan: &Plan| plan.speed.decode_tokens_per_s.mid;
    let full = |plan: &Plan| plan.speed.decode_at_full_context_tokens_per_s.mid;
    let wait = |plan: &Plan| plan.speed.first_token_full_prompt_s.mid;
    let context = |plan: &Plan| plan.candidate.context_tokens;
    let no_worse = one.verdict <= other.verdict
        && stars.stars >= other_stars.stars
        && speed(one) >= speed(other)
        && full(one) >= full(other)
        && wait(one) <= wait(other)
        && context(one) >= context(other);
    let better =
        stars.stars > other_stars.stars || speed(one) > speed(other) || context(one) > context(other);
    one.verdict != Verdict::Refused && no_worse && better
}

/// Finds the choices for a machine.
pub fn find_choices(hardware: &Hardware, catalogue: &Catalogue, profiles: &Profiles) -> Choices {
    let search = Search::new(hardware, profiles);
    let plan = |setting: &Setting, id: &str| make_plan(&setting.candidate(id), hardware, &profiles.policy);
    let of_models: Vec<Vec<Setting>> = catalogue.models.iter().map(|model| search.settings(model)).collect();
    let all: Vec<&Setting> = of_models.iter().flatten().collect();
    let rules = &profiles.choices;
    let models =
        catalogue.models.iter().zip(&of_models).map(|(model, settings)| match rules.worth_most(settings) {
            Some(best) => plan(best, CUSTOM_ID),
            None => make_plan(
                &own_candidate(model.clone(), Layers::Fit, &profiles.policy),
                hardware,
                &profiles.policy,
            ),
        });
    let models: Vec<Plan> = models.collect();
    let running = of_models.iter().filter(|settings| !settings.is_empty()).count();
    let picked: Vec<(Role, &Setting)> =
        Role::ALL.into_iter().filter_map(|role| Some((role, rules.pick(role, &all)?))).collect();
    let choices = picked.iter().map(|&(role, setting)| Choice {
        role,
        plan: plan(setting, role.id()),
        why: why(role, setting, &picked, &all, running, rules),
    });
    let choices: Vec<Choice> = choices.filter(|choice| choice.plan.verdict != Verdict::Refused).collect();
    let on_processor: Vec<Setting> =
        catalogue.models.iter().flat_map(|model| search.settings_on_processor(model)).collect();
    let on_processor: Vec<&Setting> = on_processor.iter().collect();
    let emergency_cpu = rules
        .pick_emergency(&on_processor)
        .map(|setting| plan(setting, EMERGENCY_ID))
        .filter(|plan| plan.verdict != Verdict::Refused);
    Choices { choices, models, emergency_cpu }
}

fn why(
    role: Role,
    setting: &Setting,
    picked: &[(Role, &Setting)],
    all: &[&Setting],
    running: usize,
    rules: &ChoiceRules,
) -> Why {
    if running == 1 {
        return Why::Only;
    }
    let of_role = |wanted: Role| picked.iter().find(|(role, _)| *role == wanted).map(|(_, setting)| *setting);
    let times = |other: &Setting| setting.tokens_per_s / other.tokens_per_s.max(f64::MIN_POSITIVE);
    let title = |setting: &Setting| setting.candidate.model.title.clone();
    let same = picked.iter().take_while(|(other, _)| *other != role).find(|(_, other)| *other == setting);
    if let Some((other, _)) = same {
        return Why::SameAs(*other);
    }
    match role {
        Role::Recommended => {
            if !setting.is_whole
                && let Some(whole) = rules
                    .pick(Role::Recommended, &all.iter().copied().filter(|s| s.is_whole).collect::<Vec<_>>())
                && whole.stars() < setting.stars()
            {
                return Why::SmarterThanWhole { other: title(whole), stars: whole.stars() };
            }
            match of_role(Role::Smartest) {
                Some(smartest)
                    if smartest.candidate.model.name != setting.candidate.model.name
                        && times(smartest) > 1.0 =>
                {
                    Why::FasterThanSmartest {
                        other: title(smartest),
                        stars: smartest.stars(),
                        times: times(smartest),
                    }
                }
                _ => Why::Best { of_models: running },
            }
        }
        Role::Smartest => Why::Best { of_models: running },
        Role::Fastest => match of_role(Role::Recommended) {
            Some(recommended) => {
                Why::FasterThanRecommended { other: title(recommended), times: times(recommended) }
            }
            None => Why::Best { of_models: running },
        },
    }
}
