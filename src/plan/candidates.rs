//! The candidates of the profiles, and of the user's own choice.

use std::sync::Arc;

use crate::models::{Catalogue, KvCacheType, Model};
use crate::plan::profiles::{CUSTOM_ID, NUM_BATCH};
use crate::plan::{Candidate, Layers, Policy, Profile, Profiles};

/// The candidates of all profiles. Profiles whose model is not in the catalogue are left out;
/// [`Profiles::from_yaml`] refuses them.
pub fn candidates(profiles: &Profiles, catalogue: &Catalogue) -> Vec<Candidate> {
    profiles.profiles.iter().filter_map(|profile| candidate(profile, catalogue)).collect()
}

/// The candidate of the emergency mode, on the processor alone; `None` if its model is not in the catalogue.
pub fn emergency_candidate(profiles: &Profiles, catalogue: &Catalogue) -> Option<Candidate> {
    candidate(&profiles.emergency_cpu, catalogue)
}

/// The user's own choice, made for no particular size of card.
pub fn custom_candidate(
    model: Arc<Model>,
    kv_cache_type: KvCacheType,
    context_tokens: u32,
    layers: Layers,
    policy: &Policy,
) -> Candidate {
    let min_vram_gib = if layers == Layers::Exactly(0) { 0 } else { policy.refused_below_vram_gb };
    Candidate {
        id: CUSTOM_ID.to_owned(),
        model,
        context_tokens,
        kv_cache_type,
        num_batch: NUM_BATCH,
        layers,
        n_cpu_moe: 0,
        min_vram_gib,
        min_ram_gib: 0,
    }
}

/// The user's own model in the default setting: the usual cache type and context.
pub fn own_candidate(model: Arc<Model>, layers: Layers, policy: &Policy) -> Candidate {
    custom_candidate(model, KvCacheType::Q8_0, crate::MIN_CONTEXT_TOKENS, layers, policy)
}

fn candidate(profile: &Profile, catalogue: &Catalogue) -> Option<Candidate> {
    Some(Candidate {
        id: profile.id.clone(),
        model: catalogue.find(profile.model.as_str())?,
        context_tokens: profile.context_tokens,
        kv_cache_type: profile.kv_cache_type,
        num_batch: profile.num_batch,
        layers: profile.layers,
        n_cpu_moe: 0,
        min_vram_gib: profile.min_vram_gb,
        min_ram_gib: profile.min_ram_gb,
    })
}
