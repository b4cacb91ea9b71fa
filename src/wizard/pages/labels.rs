//! Short labels that several pages show.

use std::sync::Arc;

use crate::models::{KvCacheType, Model, Quality};
use crate::plan::Plan;
use crate::platform::login::{AutostartKind, LoginError};
use crate::say;
use crate::text::Text;

/// A model's name with its quantisation, which is not repeated.
pub(super) fn model_name(model: &Model) -> String {
    if model.title.contains(model.quantisation.name()) {
        model.title.to_string()
    } else {
        format!("{}, {}", model.title, model.quantisation)
    }
}

/// `29 of 29`: layers on the GPU, and all.
pub(super) fn layers(text: Text, plan: &Plan) -> String {
    say!(text, "wizard-of", part = plan.gpu_layers().to_string(), whole = plan.total_layers.to_string())
}

/// `★★★☆☆ fair`, or that the model is not rated.
pub(super) fn quality_short(quality: Option<&Quality>, text: Text) -> String {
    match quality {
        Some(quality) => format!("{} {}", quality.stars_drawn(), quality.word(text)),
        None => say!(text, "plan-quality-not-rated"),
    }
}

/// A KV cache type with what it costs.
pub(super) fn kv_cache_name(text: Text, kv: KvCacheType) -> String {
    match kv {
        KvCacheType::F16 => say!(text, "wizard-kv-f16"),
        KvCacheType::Q8_0 => say!(text, "wizard-kv-q8"),
        KvCacheType::Q4_0 => say!(text, "wizard-kv-q4"),
    }
}

/// What starts the server at login, or why nothing can.
pub(super) fn autostart_name(text: Text, autostart: &Result<AutostartKind, Arc<LoginError>>) -> String {
    match autostart {
        Ok(AutostartKind::SystemdUser) => say!(text, "wizard-login-systemd"),
        Ok(AutostartKind::XdgAutostart) => say!(text, "wizard-login-autostart"),
        Ok(AutostartKind::LaunchAgent) => say!(text, "wizard-login-agent"),
        Ok(AutostartKind::RunKey) => say!(text, "wizard-login-run-key"),
        Err(error) => error.explain(text),
    }
}
