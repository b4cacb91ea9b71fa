//! What would change a verdict: closing programs, another card, more memory.

use crate::machine::EngineRefusal;
use crate::models::KvCacheType;
use crate::plan::case::Case;
use crate::plan::{Improvement, Layers, Plan, Reason};

/// What the user can do, the easiest first.
pub(super) fn improvements(case: &Case<'_>, plan: &Plan) -> Vec<Improvement> {
    let mut found = Vec::new();
    found.extend(close_gpu_programs(case, plan));
    for reason in &plan.reasons {
        found.extend(improvements_for(reason, case, plan));
    }
    found.sort_by_key(Improvement::effort);
    found.dedup();
    found
}

fn close_gpu_programs(case: &Case<'_>, plan: &Plan) -> Option<Improvement> {
    let frees_bytes = case.vram_free_when_closed_bytes().saturating_sub(plan.vram_free_bytes());
    let gpu_layers = case.layers_when_closed();
    let worth_it = case.candidate.layers == Layers::Fit && frees_bytes > 0 && gpu_layers > plan.gpu_layers();
    // Closing programs does not help a card whose total memory is too small.
    let too_small = plan
        .reasons
        .iter()
        .any(|r| matches!(r, Reason::VramTooSmall { .. } | Reason::ProfileNeedsVram { .. }));
    (worth_it && !too_small).then(|| Improvement::CloseGpuPrograms {
        frees_bytes,
        gpu_layers,
        total_layers: case.total_layers,
        decode_tokens_per_s: case.estimate(gpu_layers).speed.decode_tokens_per_s,
    })
}

fn improvements_for(reason: &Reason, case: &Case<'_>, plan: &Plan) -> Vec<Improvement> {
    let policy = case.policy;
    match reason {
        Reason::NoUsableGpu { need_gib, .. } | Reason::VramTooSmall { need_gib, .. } => {
            vec![Improvement::LargerCard { need_gib: *need_gib }, Improvement::EmergencyCpu]
        }
        Reason::EngineRefuses { refusal } => match refusal {
            EngineRefusal::MacosTooOld { .. } | EngineRefusal::WindowsTooOld { .. } => Vec::new(),
            EngineRefusal::CapabilityTooLow { .. } => {
                let need_gib = policy.refused_below_vram_gb;
                vec![Improvement::LargerCard { need_gib }, Improvement::EmergencyCpu]
            }
            _ => vec![Improvement::EmergencyCpu],
        },
        Reason::ProfileNeedsVram { need_gib, .. } => vec![Improvement::LargerCard { need_gib: *need_gib }],
        Reason::SmallCard { comfortable_gib, .. } => {
            vec![Improvement::LargerCard { need_gib: *comfortable_gib }]
        }
        Reason::LayersOnCpu { .. } if case.nominal_vram_gb >= policy.degraded_below_vram_gb => policy
            .card_that_holds(plan.all_layers_vram_bytes)
            .filter(|size| *size > case.nominal_vram_gb)
            .map(|need_gib| Improvement::LargerCard { need_gib })
            .into_iter()
            .collect(),
        Reason::ProfileNeedsRam { need_gib, .. } => vec![Improvement::MoreRam { need_gib: *need_gib }],
        Reason::RamShort { need_bytes, have_bytes, fits_when_closed: true } => {
            vec![Improvement::CloseRamPrograms { frees_bytes: need_bytes.saturating_sub(*have_bytes) }]
        }
        Reason::RamShort { need_bytes, .. } => policy
            .ram_that_holds(*need_bytes)
            .map(|need_gib| Improvement::MoreRam { need_gib })
            .into_iter()
            .collect(),
        Reason::KvNeedsFlashAttention { .. } => {
            vec![Improvement::OtherKvCacheType { kv_cache_type: KvCacheType::F16 }]
        }
        Reason::KvQ4 => vec![Improvement::OtherKvCacheType { kv_cache_type: KvCacheType::Q8_0 }],
        _ => Vec::new(),
    }
}
