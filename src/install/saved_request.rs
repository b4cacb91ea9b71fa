//! `request.json`: the last request, so that an installation can be resumed, repaired or updated without asking
//! everything again.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::SCHEMA;
use crate::install::state::documents::{DocumentError, foreign, read_json, require_absolute};
use crate::install::state::home;
use crate::install::{InstallOptions, Paths, PlannedSetting, Request, SavedPath, SetByHand, TriedSetting};
use crate::models::{KvCacheType, ModelTag};
use crate::plan::{Candidate, ConsentTerms, Layers, NUM_BATCH, Plan};
use crate::platform::clock::rfc3339_now;
use crate::untrusted::UntrustedText;

/// The user's choices, from which the figures are recomputed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedRequest {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// When it was made, RFC 3339.
    #[serde(rename = "asked_at")]
    pub requested_at: UntrustedText,
    /// Profile id.
    pub profile: UntrustedText,
    /// Tag of the model.
    pub model: ModelTag,
    /// The user's file that the model is installed from; `None` for a model of a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_file: Option<SavedPath>,
    /// Type of the KV cache.
    pub kv_cache_type: KvCacheType,
    /// Tokens of context.
    pub context_tokens: u32,
    /// Layers on the GPU that the user chose; `None` for as many as fit.
    #[serde(default)]
    pub gpu_layers: Option<u32>,
    /// Blocks whose routed experts stay in main memory; 0 in requests of earlier versions.
    #[serde(default)]
    pub n_cpu_moe: u32,
    /// Prompt tokens processed at once; what earlier versions always used where they did not write it.
    #[serde(default = "usual_num_batch")]
    pub num_batch: u32,
    /// What the user set by hand after the installation; the fields above are the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<SetByHand>,
    /// The user agreed to fewer layers on the GPU than planned.
    pub accept_degraded: bool,
    /// Whether the user accepts a KV cache at 4 bits if memory runs out; `None` when not asked.
    #[serde(default)]
    pub accept_kv_q4: Option<bool>,
    /// Whether the user accepts an unverified model if its registry cannot be reached; `None` when not
    /// asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_unverified_model: Option<bool>,
    /// What the user agreed to; `None` when nothing needed consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentTerms>,
    /// Folders of models outside the home that earlier installations in it used, so that their models can be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_models_dirs: Vec<PathBuf>,
    /// Sources, folders and port.
    pub options: InstallOptions,
}

fn usual_num_batch() -> u32 {
    NUM_BATCH
}

impl SavedRequest {
    /// The choices of a request.
    pub fn of(request: &Request) -> Self {
        let candidate = &request.plan.candidate;
        Self {
            schema: SCHEMA,
            requested_at: rfc3339_now().into(),
            profile: candidate.id.as_str().into(),
            model: request.model.clone(),
            model_file: candidate.model.local.as_ref().map(|local| SavedPath(local.path().to_owned())),
            kv_cache_type: candidate.kv_cache_type,
            context_tokens: candidate.context_tokens,
            gpu_layers: match candidate.layers {
                Layers::Fit => None,
                Layers::Exactly(layers) => Some(layers),
            },
            n_cpu_moe: candidate.n_cpu_moe,
            num_batch: candidate.num_batch,
            by_hand: request.by_hand,
            accept_degraded: request.agreement.fewer_layers,
            accept_kv_q4: request.agreement.kv_q4,
            accept_unverified_model: request.agreement.unverified_model,
            consent: request.consent().cloned(),
            earlier_models_dirs: Vec::new(),
            options: request.options.clone(),
        }
    }

    /// Reads it; `None` when nothing was requested under this home.
    ///
    /// # Errors
    /// When it exists but cannot be read.
    pub fn load(paths: &Paths) -> Result<Option<Self>, DocumentError> {
        home::require_ours(paths)?;
        Self::from_file(paths, &paths.request())
    }

    /// Reads this file of a home.
    ///
    /// # Errors
    /// As [`SavedRequest::load`].
    pub fn from_file(paths: &Paths, file: &Path) -> Result<Option<Self>, DocumentError> {
        let Some(request) = read_json::<Self>(file)? else { return Ok(None) };
        let home = &request.options.home;
        if paths.below(home).is_none_or(|below| !below.as_os_str().is_empty()) {
            return Err(foreign(file, home));
        }
        for folder in request.earlier_models_dirs.iter().chain([&request.options.models_dir]) {
            require_absolute(file, folder)?;
        }
        Ok(Some(request))
    }

    /// The candidate with the requested setting: context, KV cache, batch, layers and experts in main memory.
    pub fn apply_to(&self, candidate: Candidate) -> Candidate {
        Candidate {
            context_tokens: self.context_tokens,
            kv_cache_type: self.kv_cache_type,
            layers: self.gpu_layers.map_or(candidate.layers, Layers::Exactly),
            n_cpu_moe: self.n_cpu_moe,
            num_batch: self.num_batch,
            ..candidate
        }
    }

    /// The same request with the batch and the experts in main memory that tuning kept, so that a later installation begins
    /// there. Never more experts in main memory than were asked for, because that needs consent.
    #[must_use]
    pub fn tuned(self, kept: TriedSetting) -> Self {
        let num_batch = kept.options.num_batch.unwrap_or(self.num_batch);
        let is_chosen = !kept.automatic_layers && kept.n_cpu_moe > 0;
        let n_cpu_moe = if is_chosen { kept.n_cpu_moe.min(self.n_cpu_moe) } else { self.n_cpu_moe };
        Self { num_batch, n_cpu_moe, ..self }
    }

    /// Whether it is a request for this model with this setting.
    pub fn is_for(&self, candidate: &Candidate) -> bool {
        candidate.model.tag() == Some(&self.model)
            && candidate.context_tokens == self.context_tokens
            && candidate.kv_cache_type == self.kv_cache_type
    }

    /// Its setting.
    pub fn setting(&self) -> PlannedSetting {
        PlannedSetting {
            kv_cache_type: self.kv_cache_type,
            context_tokens: self.context_tokens,
            gpu_layers: self.gpu_layers,
            n_cpu_moe: self.n_cpu_moe,
            num_batch: self.num_batch,
        }
    }

    /// What was set by hand, if another request is for the same model in the same setting, as a repair is.
    pub fn by_hand_for(&self, request: &Request) -> Option<SetByHand> {
        let other = Self::of(request);
        self.by_hand.filter(|_| other.model == self.model && other.setting() == self.setting())
    }

    /// Whether the saved consent covers this plan.
    pub fn covers(&self, plan: &Plan) -> bool {
        let terms = self.consent.as_ref().zip(plan.consent.as_ref());
        terms.is_some_and(|(agreed, now)| agreed.covers(now, plan.policy.consent_tolerance))
    }

    /// Whether no layer goes to a GPU, as in the emergency mode.
    pub fn is_cpu_only(&self) -> bool {
        self.gpu_layers == Some(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::install::{Agreement, HandSettings, RunnerOptions};
    use crate::machine::{Gpu, GpuKind, Hardware, MainMemory};
    use crate::models::Catalogue;
    use crate::plan::{Profiles, custom_candidate, make_plan};
    use crate::{GIB, MIN_CONTEXT_TOKENS};

    fn request(n_cpu_moe: u32) -> Request {
        let policy = &Profiles::built_in().policy;
        let model = Catalogue::built_in().find("qwen3-coder:30b").unwrap();
        let layers = Layers::Exactly(model.total_layers());
        let usual = custom_candidate(model, KvCacheType::Q8_0, MIN_CONTEXT_TOKENS, layers, policy);
        let candidate = Candidate { n_cpu_moe, num_batch: 2048, ..usual };
        let memory =
            MainMemory { total_bytes: 32 * GIB, available_bytes: Some(28 * GIB), bandwidth_gb_s: Some(40.0) };
        let card = Gpu::named("NVIDIA GeForce RTX 4060", GpuKind::Discrete, Some(8 * GIB));
        let plan = make_plan(&candidate, &Hardware::with(memory, vec![card]), policy);
        let agreement = Agreement { limits: true, ..Agreement::default() };
        Request::new(plan, agreement, InstallOptions::usual(Path::new("/home/x/.acolyte"))).unwrap()
    }

    #[test]
    fn experts_and_batch_are_requested_again() {
        let request = request(40);
        let saved = SavedRequest::of(&request);
        let json = serde_json::to_string(&saved).unwrap();
        let read: SavedRequest = serde_json::from_str(&json).unwrap();
        let asked = Candidate { n_cpu_moe: 0, num_batch: 512, ..request.plan.candidate.clone() };
        let restored = read.apply_to(asked);
        assert_eq!((restored.n_cpu_moe, restored.num_batch), (40, 2048));
    }

    #[test]
    fn a_tuned_request_begins_where_tuning_ended_within_its_consent() {
        let saved = SavedRequest::of(&request(40));
        let kept = |n_cpu_moe, automatic_layers| TriedSetting {
            gpu_layers: 49,
            automatic_layers,
            n_cpu_moe,
            kv_cache_type: KvCacheType::Q8_0,
            options: RunnerOptions { num_batch: Some(512), ..RunnerOptions::default() },
        };
        let tuned = |kept: TriedSetting| {
            let saved = saved.clone().tuned(kept);
            (saved.n_cpu_moe, saved.num_batch)
        };
        assert_eq!(tuned(kept(36, false)), (36, 512));
        assert_eq!(tuned(kept(44, false)), (40, 512), "more needs consent");
        assert_eq!(tuned(kept(30, true)), (40, 512), "the engine chose others");
    }

    #[test]
    fn a_request_of_an_earlier_version_has_none_in_main_memory_and_the_usual_batch() {
        let saved = SavedRequest::of(&request(40));
        let mut written = serde_json::to_value(&saved).unwrap();
        for key in ["n_cpu_moe", "num_batch"] {
            written.as_object_mut().unwrap().remove(key).unwrap();
        }
        let earlier: SavedRequest = serde_json::from_value(written).unwrap();
        assert_eq!((earlier.n_cpu_moe, earlier.num_batch), (0, 512));
    }

    #[test]
    fn a_repair_keeps_what_was_set_by_hand_and_another_setting_does_not() {
        let set = HandSettings { num_batch: Some(2048), ..HandSettings::default() };
        let plain = SavedRequest::of(&request(40));
        let by_hand = Some(SetByHand { planned: plain.setting(), set });
        let saved = SavedRequest { by_hand, ..plain };
        assert_eq!(saved.by_hand_for(&request(40)), by_hand);
        assert_eq!(saved.by_hand_for(&request(44)), None);
    }

    #[test]
    fn consent_covers_no_more_experts_in_main_memory_than_agreed_to() {
        let saved = SavedRequest::of(&request(40));
        assert!(saved.covers(&request(40).plan));
        assert!(!saved.covers(&request(44).plan));
    }
}
