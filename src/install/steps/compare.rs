//! If some layers are on the processor, or some experts in main memory: compares the planned placement with the one
//! the engine chooses itself, and keeps the faster one. Of a mixture the engine keeps the experts of the last blocks in
//! main memory, we those of the first.

use crate::install::event::Activity;
use crate::install::steps::loader::{LoadFacts, Loader, PlacementResult};
use crate::install::steps::placement::Placement;
use crate::install::steps::speed::decode_speed;
use crate::install::{InstallError, PlacementComparison};
use crate::plan::Layers;

/// The engine's own choice must be faster by this factor to be kept, because measurements of the same placement vary.
const CLEARLY: f64 = 1.05;

/// Compares, if there is anything to compare. Returns the facts of the placement that is kept and loaded.
///
/// # Errors
/// When the placement that was loaded before cannot be loaded again, or the user cancels.
pub async fn run(
    loader: &mut Loader<'_>,
    facts: LoadFacts,
) -> Result<(LoadFacts, Option<PlacementComparison>), InstallError> {
    let (run, planned) = (loader.run, loader.placement);
    let partly = planned.gpu_layers > 0 && planned.gpu_layers < run.request.plan.total_layers;
    let by_us = planned.n_cpu_moe > 0 || run.request.plan.candidate.layers == Layers::Fit;
    if !(partly || planned.n_cpu_moe > 0) || !by_us {
        return Ok((facts, None));
    }
    run.reporter.running(Activity::ComparingPlacements);
    let Some(explicit_tokens_per_s) = decode_speed(run, loader.server).await? else {
        return Ok((facts, None));
    };
    let automatic = match measure_automatic(loader).await {
        Ok(automatic) => automatic,
        Err(error) if error.is_cancelled() => return Err(error),
        Err(error) => {
            // The engine's choice does not have the planned context or KV cache; keep the planned placement.
            tracing::info!(%error, "the engine's own placement cannot be used");
            None
        }
    };
    // Without knowing where it put the experts nothing could be promised of it.
    let n_cpu_moe = automatic.as_ref().and_then(|(facts, _)| experts_in_ram(loader, facts));
    let (Some((facts, automatic_tokens_per_s)), Some(n_cpu_moe)) = (automatic, n_cpu_moe) else {
        return Ok((loader.return_to(planned).await?, None));
    };
    let automatic_kept = automatic_tokens_per_s > explicit_tokens_per_s * CLEARLY;
    let comparison = PlacementComparison { explicit_tokens_per_s, automatic_tokens_per_s, automatic_kept };
    if !automatic_kept {
        return Ok((loader.return_to(planned).await?, Some(comparison)));
    }
    if let Some((layers, _)) = facts.evidence.offloaded {
        loader.placement.gpu_layers = layers;
    }
    loader.placement.n_cpu_moe = n_cpu_moe;
    run.reporter.running(Activity::AutomaticPlacementKept { automatic_tokens_per_s, explicit_tokens_per_s });
    Ok((facts, Some(comparison)))
}

/// Blocks whose experts the engine's own choice left in main memory; 0 where the plan has none there.
fn experts_in_ram(loader: &Loader<'_>, facts: &LoadFacts) -> Option<u32> {
    let plan = &loader.run.request.plan;
    if plan.setting.n_cpu_moe == 0 { Some(0) } else { facts.n_cpu_moe(plan) }
}

/// Loads with the engine's own choice of layers and measures it; `None` where it did not fit or wrote nothing.
async fn measure_automatic(loader: &mut Loader<'_>) -> Result<Option<(LoadFacts, f64)>, InstallError> {
    let placement = Placement { automatic: true, ..loader.placement };
    let PlacementResult::Loaded(facts) = loader.try_placement(placement).await? else { return Ok(None) };
    Ok(decode_speed(loader.run, loader.server).await?.map(|speed| (*facts, speed)))
}
