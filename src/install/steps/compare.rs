//! Where some layers are on the processor: our placement beside the one the engine chooses by itself. The faster one is
//! kept, and that is said.

use crate::install::run::Job;
use crate::install::steps::load::{Attempt, Facts, attempt};
use crate::install::steps::server::Server;
use crate::install::steps::{measure, model};
use crate::install::{InstallError, Placements};
use crate::plan::Layers;
use crate::say;

/// The engine's own choice must be faster by this to be taken: two measurements of one placement differ as well.
const CLEARLY: f64 = 1.05;

/// Compares, if there is anything to compare, and gives back the facts of what is kept and loaded.
pub async fn run(job: &mut Job<'_>, server: &Server, facts: Facts) -> Result<Facts, InstallError> {
    let partly = job.gpu_layers > 0 && job.gpu_layers < job.request.plan.total_layers;
    if !partly || job.request.plan.candidate.layers != Layers::Fit {
        return Ok(facts);
    }
    job.reporter.running(say!(job.text, "install-comparing"));
    let Some(explicit_tokens_per_s) = measure::decode_speed(job, server).await? else { return Ok(facts) };
    let ours = job.gpu_layers;
    let automatic = match automatic(job, server).await {
        Ok(automatic) => automatic,
        Err(error) if error.is_cancelled() => return Err(error),
        Err(error) => {
            // What the engine would choose does not do what was promised; ours does.
            tracing::info!(%error, "the engine's own placement cannot be used");
            None
        }
    };
    let speed = automatic.as_ref().map(|(_, speed)| *speed);
    let faster = speed.is_some_and(|speed| speed > explicit_tokens_per_s * CLEARLY);
    job.placements = speed.map(|automatic_tokens_per_s| Placements {
        explicit_tokens_per_s,
        automatic_tokens_per_s,
        automatic_kept: faster,
    });
    if let Some((facts, speed)) = automatic.filter(|_| faster) {
        job.gpu_layers = facts.evidence.offloaded.map_or(ours, |(layers, _)| layers);
        let (automatic, explicit) = (job.text.figure(speed), job.text.figure(explicit_tokens_per_s));
        job.reporter.running(say!(
            job.text,
            "install-automatic-kept",
            automatic = automatic,
            explicit = explicit
        ));
        return Ok(facts);
    }
    job.automatic = false;
    job.gpu_layers = ours;
    model::create_with(job, server).await?;
    match attempt(job, server).await? {
        Attempt::Loaded(facts) => Ok(*facts),
        Attempt::OutOfMemory => Err(InstallError::OutOfMemory { tried: job.tried.clone() }),
    }
}

/// Loads with the engine's own choice of layers and measures it; none where it could not be loaded or wrote nothing.
async fn automatic(job: &mut Job<'_>, server: &Server) -> Result<Option<(Facts, f64)>, InstallError> {
    job.automatic = true;
    model::create_with(job, server).await?;
    let Attempt::Loaded(facts) = attempt(job, server).await? else { return Ok(None) };
    Ok(measure::decode_speed(job, server).await?.map(|speed| (*facts, speed)))
}
