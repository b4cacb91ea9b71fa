//! The rule by which the three choices are made. Every figure of it is data (`choices` in `assets/profiles.yaml`).

use serde::Deserialize;

use crate::MIN_CONTEXT_TOKENS;
use crate::plan::setting::Setting;
use crate::plan::types::Role;

/// How settings are compared.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceRules {
    /// Sizes of context that are tried, in tokens, ascending from [`MIN_CONTEXT_TOKENS`].
    pub contexts: Vec<u32>,
    /// Sizes of batch that are tried where weights are in main memory, in tokens, ascending.
    pub batches: Vec<u32>,
    /// What each quality of a setting is worth.
    pub weights: ChoiceWeights,
    /// More tokens per second than this are worth no more.
    pub enough_tokens_per_s: f64,
    /// Up to so many seconds to the first token of a full prompt cost nothing.
    pub patient_first_token_s: f64,
    /// Speeds that differ by less than this share count as equal when the fastest is chosen.
    pub equal_speed: f64,
    /// Stars that differ by less than this count as equal when the smartest is chosen.
    pub equal_stars: f64,
    /// Limits of the recommended choice.
    pub recommended: RoleLimits,
    /// Limits of the smartest choice.
    pub smartest: RoleLimits,
    /// Limits of the fastest choice.
    pub fastest: RoleLimits,
    /// Limits of the emergency mode, which is chosen like the recommended choice.
    pub emergency_cpu: RoleLimits,
}

/// What each quality of a setting is worth, in stars.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceWeights {
    /// A star.
    pub star: f64,
    /// Twice the speed.
    pub speed: f64,
    /// Twice the wait costs this.
    pub wait: f64,
    /// Twice the context.
    pub context: f64,
    /// Having to agree to a limit first costs this.
    pub consent: f64,
}

/// What a choice must keep. Where no setting keeps it, all settings are compared.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleLimits {
    /// Tokens per second: the geometric mean of an empty context and one with 32,768 tokens.
    pub least_tokens_per_s: f64,
    /// Seconds to the first token of a full prompt.
    pub longest_first_token_s: f64,
    /// Stars.
    pub least_stars: u8,
}

impl RoleLimits {
    fn admits(&self, setting: &Setting) -> bool {
        setting.tokens_per_s >= self.least_tokens_per_s
            && setting.first_token_s <= self.longest_first_token_s
            && setting.stars() >= self.least_stars
    }
}

impl ChoiceRules {
    /// What a setting is worth, in stars. An unrated model counts as none.
    fn worth(&self, setting: &Setting) -> f64 {
        let weights = self.weights;
        let doublings = |ratio: f64| ratio.max(f64::MIN_POSITIVE).log2();
        let speed = doublings(setting.tokens_per_s.min(self.enough_tokens_per_s) / self.enough_tokens_per_s);
        let wait = doublings(setting.first_token_s / self.patient_first_token_s).max(0.0);
        let context = doublings(f64::from(setting.candidate.context_tokens) / f64::from(MIN_CONTEXT_TOKENS));
        let consent = if setting.needs_consent { weights.consent } else { 0.0 };
        weights.star * setting.points.unwrap_or(0.0) + weights.speed * speed + weights.context * context
            - weights.wait * wait
            - consent
    }

    /// The best setting for a role; `None` if there are no settings. Unrated models are chosen only where no rated
    /// one runs.
    pub(super) fn pick<'a>(&self, role: Role, settings: &[&'a Setting]) -> Option<&'a Setting> {
        let limits = match role {
            Role::Recommended => self.recommended,
            Role::Smartest => self.smartest,
            Role::Fastest => self.fastest,
        };
        let admitted = admitted(limits, settings);
        let most = |figure: fn(&Setting) -> f64| admitted.iter().map(|s| figure(s)).fold(f64::MIN, f64::max);
        let best = match role {
            Role::Recommended => admitted,
            Role::Smartest => {
                let points = |setting: &Setting| setting.points.unwrap_or(0.0);
                let most = most(points);
                narrowed(&admitted, |setting| points(setting) >= most - self.equal_stars)
            }
            Role::Fastest => {
                let most = most(|setting| setting.tokens_per_s);
                narrowed(&admitted, |setting| setting.tokens_per_s >= most * (1.0 - self.equal_speed))
            }
        };
        self.worth_most(best)
    }

    /// The best of the settings on the processor alone, for the emergency mode.
    pub(super) fn pick_emergency<'a>(&self, settings: &[&'a Setting]) -> Option<&'a Setting> {
        self.worth_most(admitted(self.emergency_cpu, settings))
    }

    /// The setting that is worth most; `None` if there are no settings.
    pub(super) fn worth_most<'a>(
        &self,
        settings: impl IntoIterator<Item = &'a Setting>,
    ) -> Option<&'a Setting> {
        settings.into_iter().max_by(|a, b| self.worth(a).total_cmp(&self.worth(b)))
    }

    /// The first invalid value: its key and the allowed values.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let ascending =
            |values: &[u32]| !values.is_empty() && values.windows(2).all(|pair| pair[0] < pair[1]);
        let share = |value: f64| (0.0..=100.0).contains(&value);
        let rate = |value: f64| value > 0.0 && value <= 100_000.0;
        let weights = self.weights;
        let limits = |limits: &RoleLimits| {
            (0.0..=100_000.0).contains(&limits.least_tokens_per_s)
                && rate(limits.longest_first_token_s)
                && limits.least_stars <= 5
        };
        const LIMITS: &str = "a speed from 0, a time above 0, 0 to 5 stars";
        [
            (
                "contexts",
                ascending(&self.contexts)
                    && self.contexts.iter().all(|tokens| (MIN_CONTEXT_TOKENS..=16_777_216).contains(tokens)),
                "ascending sizes from 32768 to 16777216",
            ),
            (
                "batches",
                ascending(&self.batches) && self.batches.iter().all(|tokens| (32..=8192).contains(tokens)),
                "ascending sizes from 32 to 8192",
            ),
            (
                "weights",
                [weights.star, weights.speed, weights.wait, weights.context, weights.consent]
                    .into_iter()
                    .all(share),
                "0 to 100",
            ),
            ("enough_tokens_per_s", rate(self.enough_tokens_per_s), "above 0"),
            ("patient_first_token_s", rate(self.patient_first_token_s), "above 0"),
            ("equal_speed", (0.0..1.0).contains(&self.equal_speed), "a share from 0 to below 1"),
            ("equal_stars", (0.0..=5.0).contains(&self.equal_stars), "0 to 5"),
            ("recommended", limits(&self.recommended), LIMITS),
            ("smartest", limits(&self.smartest), LIMITS),
            ("fastest", limits(&self.fastest), LIMITS),
            ("emergency_cpu", limits(&self.emergency_cpu), LIMITS),
        ]
        .into_iter()
        .find(|(_, fine, _)| !fine)
        .map(|(key, _, allowed)| (key, allowed))
    }
}

/// The rated settings within these limits, as far as there are any.
fn admitted<'a>(limits: RoleLimits, settings: &[&'a Setting]) -> Vec<&'a Setting> {
    let rated = narrowed(settings, |setting| setting.points.is_some());
    narrowed(&rated, |setting| limits.admits(setting))
}

/// Those for which `keep` holds; all of them when it holds for none.
fn narrowed<'a>(settings: &[&'a Setting], keep: impl Fn(&Setting) -> bool) -> Vec<&'a Setting> {
    let kept: Vec<&Setting> = settings.iter().copied().filter(|setting| keep(setting)).collect();
    if kept.is_empty() { settings.to_vec() } else { kept }
}
