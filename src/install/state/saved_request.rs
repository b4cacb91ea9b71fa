//! `request.json`: what was asked for last, so that an installation that was cut short can be gone on with, repaired or
//! updated without asking everything again.

use serde::{Deserialize, Serialize};

use crate::SCHEMA;
use crate::install::state::documents::{DocumentError, read_json};
use crate::install::state::journal::now;
use crate::install::{InstallOptions, Paths, Request};
use crate::models::KvCacheType;
use crate::plan::Layers;

/// The choice and where things go; figures are computed again from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedRequest {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// When, RFC 3339.
    pub asked_at: String,
    /// Profile id.
    pub profile: String,
    /// Tag of the model.
    pub model: String,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Tokens of context.
    pub context_tokens: u32,
    /// Layers on the GPU that the person insisted on; `None` for as many as fit.
    #[serde(default)]
    pub gpu_layers: Option<u32>,
    /// The person agreed to a degraded installation.
    pub accept_degraded: bool,
    /// Whether the person lets the KV cache be kept at 4 bits should memory run out; `None` when nobody was asked.
    #[serde(default)]
    pub accept_kv_q4: Option<bool>,
    /// The text the person agreed to.
    #[serde(default)]
    pub consent_text: Option<String>,
    /// Where from and where to.
    pub options: InstallOptions,
}

impl SavedRequest {
    /// What a request asks for.
    pub fn of(request: &Request) -> Self {
        let candidate = &request.plan.candidate;
        Self {
            schema: SCHEMA,
            asked_at: now(),
            profile: candidate.id.clone(),
            model: candidate.model.tag.clone(),
            kv_cache_type: candidate.kv_cache_type,
            context_tokens: candidate.context_tokens,
            gpu_layers: match candidate.layers {
                Layers::Fit => None,
                Layers::Exactly(layers) => Some(layers),
            },
            accept_degraded: request.accept_degraded,
            accept_kv_q4: request.accept_kv_q4,
            consent_text: request.consent_text.clone(),
            options: request.options.clone(),
        }
    }

    /// Reads it; `None` when nothing was asked for under this home.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    pub fn load(paths: &Paths) -> Result<Option<Self>, DocumentError> {
        read_json(&paths.request())
    }

    /// Whether the person agreed to these words already: the same ones, with figures that are about the same. Speed and
    /// free memory are measured anew each time and are never quite what they were.
    pub fn agreed_to(&self, words: &str) -> bool {
        self.consent_text.as_deref().is_some_and(|before| about_the_same(before, words))
    }

    /// Whether it was the emergency mode, without a graphics card.
    pub fn on_processor(&self) -> bool {
        self.gpu_layers == Some(0)
    }
}

/// Figures may differ by this factor.
const ABOUT: f64 = 1.5;

fn about_the_same(before: &str, now: &str) -> bool {
    let (before, now) = (parts(before), parts(now));
    before.len() == now.len()
        && before.iter().zip(&now).all(|(before, now)| match (figure(before), figure(now)) {
            (Some(a), Some(b)) => a.max(b) <= a.min(b) * ABOUT,
            _ => before == now,
        })
}

/// A text cut where figures begin and end.
fn parts(text: &str) -> Vec<&str> {
    let is_of_figure = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kind = is_of_figure(first);
        let end = rest.find(|c: char| is_of_figure(c) != kind).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
    parts
}

/// The number of a part, in either language's way of writing it.
fn figure(part: &str) -> Option<f64> {
    let part = part.trim_end_matches(['.', ',']);
    let decimals = part.rsplit(['.', ',']).next().map_or(0, str::len);
    let marks = part.matches(['.', ',']).count();
    // Three digits after a mark are thousands in both languages.
    let plain =
        if marks > 1 || decimals == 3 { part.replace(['.', ','], "") } else { part.replace(',', ".") };
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_reasons_with_about_the_same_figures_are_agreed_to_already() {
        let words =
            "12 of 29 layers are on the processor: 37–62 tokens/s. A prompt of 32,768 tokens takes 5.4 s.";
        for same in [
            words,
            "12 of 29 layers are on the processor: 31–58 tokens/s. A prompt of 32,768 tokens takes 6.0 s.",
        ] {
            assert!(about_the_same(words, same), "{same}");
        }
        for other in [
            "12 of 29 layers are on the processor: 7–12 tokens/s. A prompt of 32,768 tokens takes 5.4 s.",
            "12 of 29 layers are on the processor: 37–62 tokens/s.",
            "The KV cache is kept at 4 bits.",
            "",
        ] {
            assert!(!about_the_same(words, other), "{other}");
        }
        assert!(about_the_same("5,4 s, 32.768 tokens", "5,9 s, 32.768 tokens"));
        assert!(!about_the_same("5,4 s", "54 s"));
    }
}
