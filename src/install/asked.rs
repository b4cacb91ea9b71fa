//! `request.json`: what was asked for last, so that an installation that was cut short can be gone on with, repaired or
//! updated without asking everything again.

use serde::{Deserialize, Serialize};

use crate::SCHEMA;
use crate::install::documents::{DocumentError, read_json};
use crate::install::journal::now;
use crate::install::{InstallOptions, Paths, Request};
use crate::models::KvCacheType;
use crate::plan::Layers;

/// The choice and where things go; figures are computed again from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
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

impl Asked {
    /// What a request asks for.
    pub fn of(request: &Request) -> Self {
        let candidate = &request.assessment.candidate;
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
            accept_degraded: request.accept_degraded || request.consent_text.is_some(),
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

    /// Whether it was the emergency mode, without a graphics card.
    pub fn on_processor(&self) -> bool {
        self.gpu_layers == Some(0)
    }
}
