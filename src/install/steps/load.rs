//! Loading: with less on the GPU, or less in main memory, when that runs out ([`ladder`]), with more on the GPU when memory
//! is left. Never with less context.

use crate::estimate::{EngineSetting, fit_gpu_layers};
use crate::install::event::Activity;
use crate::install::steps::ladder::{self, FourBits, NextPlacement, Rung};
use crate::install::steps::loader::{LoadFacts, Loader, PlacementResult};
use crate::install::steps::placement::Placement;
use crate::install::{InstallError, Step};
use crate::models::{KvCacheType, Ratings};
use crate::ollama::evidence;
use crate::plan::Layers;

/// Bytes of graphics memory that stay free when more layers are tried than planned.
const SPARE_BYTES: u64 = 512 * crate::MIB;

/// Runs the step.
///
/// # Errors
/// When the model cannot be loaded, needs a placement the user has not agreed to, or the user cancels.
pub async fn run(loader: &mut Loader<'_>) -> Result<LoadFacts, InstallError> {
    loader.run.reporter.started(Step::LoadModel, Activity::Loading);
    let attempt = loader.attempt().await?;
    let facts = until_loaded(loader, attempt).await?;
    let facts = step_up(loader, facts).await?;
    loader.run.reporter.done(loaded(&facts));
    Ok(facts)
}

/// What was loaded.
pub fn loaded(facts: &LoadFacts) -> Activity {
    Activity::Loaded {
        context_tokens: facts.loaded.context_length,
        kv_cache_type: facts.evidence.kv_cache_types().map(|types| types.to_string()),
        gpu_share: evidence::gpu_share(&facts.loaded, &facts.evidence),
    }
}

/// Goes on from an attempt until a placement fits.
///
/// # Errors
/// When none does, it needs a placement the user has not agreed to, or the user cancels.
pub async fn until_loaded(
    loader: &mut Loader<'_>,
    mut attempt: PlacementResult,
) -> Result<LoadFacts, InstallError> {
    loop {
        match attempt {
            PlacementResult::Loaded(facts) => return Ok(*facts),
            PlacementResult::OutOfMemory => attempt = step_down(loader).await?,
            PlacementResult::NoCard => {
                loader.run.reporter.running(Activity::ThroughVulkan);
                let through_vulkan = Placement { vulkan_only: true, ..loader.placement };
                attempt = loader.try_placement(through_vulkan).await?;
            }
            PlacementResult::PinningFailed => {
                loader.run.reporter.running(Activity::WithoutPinnedMemory);
                let unpinned = Placement { pinned_memory: false, ..loader.placement };
                attempt = loader.try_placement(unpinned).await?;
            }
        }
    }
}

/// Tries a placement that takes less memory.
///
/// # Errors
/// When no smaller one exists, the user has not agreed to it, or the user cancels.
pub async fn step_down(loader: &mut Loader<'_>) -> Result<PlacementResult, InstallError> {
    let (request, now) = (loader.run.request, loader.placement);
    let (total_layers, blocks) = (request.plan.total_layers, request.plan.total_blocks());
    let model = &request.plan.candidate.model;
    let four_bits = match request.agreement.kv_q4 {
        // Some models are unusable with such a cache.
        _ if Ratings::built_in().unusable_with(model, KvCacheType::Q4_0).is_some() => FourBits::Declined,
        Some(true) => FourBits::Agreed,
        Some(false) => FourBits::Declined,
        None => FourBits::Unasked,
    };
    let (rung, needs_four_bits) = match ladder::below(&loader.ran_out, total_layers, four_bits) {
        NextPlacement::Try(rung) => (rung, false),
        NextPlacement::Ask(rung) => (rung, true),
        NextPlacement::Nothing => return Err(loader.out_of_memory()),
    };
    let Rung { gpu_layers, n_cpu_moe, kv_cache_type } = rung;
    let has_agreed = request.agreement.limits || request.agreement.fewer_layers;
    // Less on the card than planned is slower.
    if n_cpu_moe > request.plan.setting.n_cpu_moe && !has_agreed {
        return Err(InstallError::MoreExpertsInRamNeedConsent { n_cpu_moe: now.n_cpu_moe, blocks });
    }
    if gpu_layers < now.gpu_layers && !has_agreed {
        let gpu_layers = request.plan.gpu_layers();
        return Err(InstallError::FewerLayersNeedConsent { gpu_layers, total_layers });
    }
    if needs_four_bits {
        return Err(InstallError::FourBitsNeedConsent { gpu_layers, total_layers });
    }
    loader.run.reporter.running(if kv_cache_type != now.kv_cache_type {
        Activity::SmallerCache { kv_cache_type, gpu_layers, total_layers }
    } else if n_cpu_moe > now.n_cpu_moe {
        Activity::MoreExpertsInRam { n_cpu_moe, blocks }
    } else if n_cpu_moe < now.n_cpu_moe {
        Activity::FewerExpertsInRam { n_cpu_moe, blocks }
    } else {
        Activity::FewerLayers { gpu_layers, total_layers }
    });
    loader.try_placement(Placement { gpu_layers, n_cpu_moe, kv_cache_type, ..now }).await
}

/// If clearly more graphics memory is free than planned, tries more layers once. Restores the placement if that fails.
async fn step_up(loader: &mut Loader<'_>, facts: LoadFacts) -> Result<LoadFacts, InstallError> {
    let Some(gpu_layers) = more_layers(loader, &facts) else { return Ok(facts) };
    let (total_layers, now) = (loader.run.request.plan.total_layers, loader.placement);
    loader.run.reporter.running(Activity::MoreLayers { gpu_layers, total_layers });
    match loader.try_placement(Placement { gpu_layers, ..now }).await {
        Ok(PlacementResult::Loaded(facts)) => return Ok(*facts),
        Err(error) if error.is_cancelled() => return Err(error),
        Ok(PlacementResult::OutOfMemory | PlacementResult::PinningFailed | PlacementResult::NoCard) => {}
        Err(error) => tracing::info!(%error, "more layers on the GPU do not work"),
    }
    loader.run.reporter.running(Activity::FewerLayers { gpu_layers: now.gpu_layers, total_layers });
    loader.return_to(now).await
}

/// How many layers fit the memory that was free; `None` if that is hardly more, or was tried and did not fit.
fn more_layers(loader: &Loader<'_>, facts: &LoadFacts) -> Option<u32> {
    let (request, now) = (loader.run.request, loader.placement);
    let (candidate, total) = (&request.plan.candidate, request.plan.total_layers);
    if candidate.layers != Layers::Fit || now.gpu_layers == 0 || now.gpu_layers >= total {
        return None;
    }
    let budget = facts.evidence.device_free_bytes?.checked_sub(SPARE_BYTES)?;
    let setting = EngineSetting {
        kv_cache_type: now.kv_cache_type,
        gpu_layers: now.gpu_layers,
        n_cpu_moe: now.n_cpu_moe,
        ..request.plan.setting
    };
    let fit = fit_gpu_layers(&candidate.model, &setting, &request.plan.machine, budget);
    let failed = loader.attempts.iter().filter(|one| !one.outcome.is_loaded());
    let lowest_failed =
        failed.filter(|one| one.kv_cache_type == now.kv_cache_type).map(|one| one.gpu_layers).min();
    let most = lowest_failed.map_or(fit, |lowest| fit.min(lowest.saturating_sub(1)));
    let worth_it = most == total || most >= now.gpu_layers + (total / 12).max(1);
    (most > now.gpu_layers && worth_it).then_some(most)
}
