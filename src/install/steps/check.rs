//! The first step: folders are writable, and every drive has enough free space.

use crate::install::event::Activity;
use crate::install::run_context::Run;
use crate::install::steps::engine_plan::EnginePlan;
use crate::install::{InstallError, take_inventory};

/// Runs the step. The drives are read again: time has passed since the plan was made.
///
/// # Errors
/// When a folder cannot be created, or a drive has too little free space.
pub fn run(run: &Run<'_>, engine: &EnginePlan) -> Result<(), InstallError> {
    for folder in [run.paths.logs(), run.paths.downloads(), run.paths.engines(), run.paths.engine_home()] {
        run.create_folder(&folder)?;
    }
    run.create_folder(run.models_dir())?;
    let plan = run.request.plan.clone();
    let mut inventory =
        take_inventory(&run.request.options, std::slice::from_ref(&run.request.plan.candidate.model));
    // An engine in place is not unpacked again unless verification found damage.
    inventory.engine.in_place = engine.in_place.is_some();
    let needs = plan.with_inventory(&inventory).disk_needs;
    if let Some(drive) = needs.shortest() {
        return Err(InstallError::DiskShort {
            path: drive.path.clone(),
            need_bytes: drive.needed_bytes(),
            free_bytes: drive.free_bytes.unwrap_or(0),
        });
    }
    run.reporter.done(Activity::Checked { bytes: needs.written_bytes() });
    Ok(())
}
