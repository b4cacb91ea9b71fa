//! The first step, before anything is downloaded: folders and drives allow what the later steps do there, a port is free for
//! the server, and every drive has enough free space.

use crate::install::event::Activity;
use crate::install::run_context::Run;
use crate::install::steps::engine_plan::EnginePlan;
use crate::install::steps::{model_file, rehearse};
use crate::install::{InstallError, Paths, private_server, take_inventory};
use crate::ollama::server;
use crate::platform::listening::Listener;

/// Runs the step. Reads free space again, because time has passed since the plan was made.
///
/// # Errors
/// When a folder cannot be created or does not allow what is done there, the file of the model is gone or has changed, no port
/// is free, or a drive has too little free space.
pub fn run(run: &Run<'_>, engine: &EnginePlan) -> Result<(), InstallError> {
    for folder in [run.paths.logs(), run.paths.downloads(), run.paths.engines(), run.paths.engine_home()] {
        run.create_folder(&folder)?;
    }
    let blobs = Paths::blobs(run.models_dir());
    run.create_folder(&blobs)?;
    for folder in [run.paths.llm(), run.paths.downloads(), run.paths.engines(), blobs.clone()] {
        rehearse::rehearse_files(&folder)?;
    }
    rehearse::rehearse_program(&run.paths.engines())?;
    rehearse::require_file_size(&blobs, run.request.plan.candidate.model.download_bytes)?;
    if engine.in_place.is_none() {
        rehearse::require_c_library()?;
    }
    model_file::require(run)?;
    require_port(run)?;
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

/// Requires the port that the user named, or one of the default ones, to be free or used by our own server, which is kept
/// or restarted on it. Step 4 chooses the port; until then another program may still take it.
fn require_port(run: &Run<'_>) -> Result<(), InstallError> {
    let is_ours = |port| {
        let listener = private_server::listener(run.paths, port);
        private_server::is_running(run.paths) && matches!(listener, Listener::Ours | Listener::Unknown)
    };
    match run.request.options.port {
        Some(port) if is_ours(port) => {}
        None if private_server::is_running(run.paths) => {}
        wanted => drop(server::choose_port(wanted, None, &[])?),
    }
    Ok(())
}
