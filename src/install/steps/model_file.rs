//! A model from a file of the user's: copied into the model store, from which the engine creates the served model as from a
//! pulled one. The user's file is only read.

use crate::install::change::Change;
use crate::install::event::Activity;
use crate::install::private_server::Server;
use crate::install::run_context::Run;
use crate::install::steps::model;
use crate::install::{InstallError, Step};
use crate::models::LocalModelFile;
use crate::ollama::store::{Store, require_unchanged};

/// Gets the model: from the user's file, or from its registry.
///
/// # Errors
/// As [`import`] and [`model::pull`].
pub async fn get_model(run: &Run<'_>, server: &mut Server) -> Result<(), InstallError> {
    match &run.model().local {
        Some(local) => import(run, local).await,
        None => model::pull(run, server).await,
    }
}

/// Puts the model's file into the store, unless it is there.
///
/// # Errors
/// When the file is gone or has changed since the plan was made, a file cannot be read or written, or the user cancels.
async fn import(run: &Run<'_>, local: &LocalModelFile) -> Result<(), InstallError> {
    let tag = &run.request.model;
    run.reporter.started(Step::PullModel, Activity::Pulling { model: tag.to_owned() });
    if model::was_changed(run) {
        model::remove_damaged_layers(run).await?;
    }
    let store = Store::new(run.models_dir());
    if store.has(tag) && model::is_usable(run, tag).await? {
        run.reporter.skipped(Activity::ModelInPlace { model: tag.to_owned() });
        return Ok(());
    }
    let change = Change::PullModel { tag: tag.clone(), models_dir: run.models_dir().to_owned() };
    run.intend(&change)?;
    model::remove_incomplete(run, tag).await?;
    let total = run.model().download_bytes;
    let copying = || Activity::CopyingModelFile { path: local.path().to_owned() };
    run.reporter.running(copying());
    // On this thread: nothing else runs meanwhile.
    store.import(tag, run.model(), local, run.control, &|done| {
        run.reporter.bytes(done, Some(total), copying());
    })?;
    model::sync(run, tag).await?;
    run.done(&change)?;
    run.reporter.done(Activity::Pulled { model: tag.to_owned() });
    Ok(())
}

/// Checks before anything is downloaded that the file is what the plan was made for. A model that is in the store already
/// needs it no more.
///
/// # Errors
/// When it is gone, has changed, or cannot be read.
pub fn require(run: &Run<'_>) -> Result<(), InstallError> {
    match &run.model().local {
        Some(local) if !Store::new(run.models_dir()).has(&run.request.model) => Ok(require_unchanged(local)?),
        _ => Ok(()),
    }
}
