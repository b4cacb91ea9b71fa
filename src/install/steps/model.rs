//! The model: pulled, copied to `acolyte:latest`, and read back, because the engine silently drops unknown parameters.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::install::blocking::blocking;
use crate::install::change::Change;
use crate::install::change::journal::{changes, was_completed};
use crate::install::change::rollback::is_ours;
use crate::install::disk_watch::{DiskShortage, DiskWatch};
use crate::install::egress_proxy::EgressProxy;
use crate::install::event::Activity;
use crate::install::private_server::Server;
use crate::install::run_context::Run;
use crate::install::state::documents::{PREVIOUS_MODEL, SERVED_MODEL};
use crate::install::steps::file_in_use::{FileWaits, while_in_use};
use crate::install::steps::placement::Placement;
use crate::install::steps::server;
use crate::install::{InstallError, Step, reuse};
use crate::models::{EngineVersion, ModelTag};
use crate::ollama::client::{AUTOMATIC, ClientError, CreateParameters, CreateRequest};
use crate::ollama::failure::{EngineFailure, needed_engine};
use crate::ollama::http::{self, CaFile};
use crate::ollama::manifest::{Manifest, StoredManifest};
use crate::ollama::registry::{RegistryError, Remote, UnreachableCause};
use crate::ollama::replies::{Status, StatusLine};
use crate::ollama::server::Launch;
use crate::ollama::store::Store;
use crate::platform::environment::Environment;
use crate::platform::files;
use crate::untrusted::UntrustedText;

/// Maximum number of attempts at a pull.
const TRIES: u32 = 3;
/// Name of the copy of a certificate file that the engine reads.
const CA_COPY: &str = "authorities.pem";
/// Pulls the model.
///
/// # Errors
/// When the registry or the engine refuses, every retry fails, the drive becomes full, or the user cancels.
pub async fn pull(run: &Run<'_>, server: &mut Server) -> Result<(), InstallError> {
    let tag = &run.request.model;
    run.reporter.started(Step::PullModel, Activity::Pulling { model: tag.to_owned() });
    if was_changed(run) {
        remove_damaged_layers(run).await?;
    }
    let ours = is_ours(&changes(&run.entries()), run.models_dir());
    if Store::new(run.models_dir()).has(tag)
        && is_planned_file(run, tag)
        && is_verified(run, tag, ours).await?
        && is_listed(run, server, tag).await?
        && layers_are_good(run, ours).await?
    {
        run.reporter.skipped(Activity::ModelInPlace { model: tag.to_owned() });
        return Ok(());
    }
    let change = Change::PullModel { tag: tag.clone(), models_dir: run.models_dir().to_owned() };
    run.intend(&change)?;
    remove_incomplete(run, tag).await?;
    if reuse_layers(run, tag).await?
        && is_listed(run, server, tag).await?
        && layers_are_good(run, ours).await?
    {
        sync(run, tag).await?;
        run.done(&change)?;
        run.reporter.skipped(Activity::ModelReused { model: tag.to_owned() });
        return Ok(());
    }
    pull_through_registry(run, server, tag).await?;
    if !layers_are_good(run, ours).await? {
        // The engine verifies what it downloads, and took the others for complete. Now it has to download them.
        pull_through_registry(run, server, tag).await?;
    }
    sync(run, tag).await?;
    run.done(&change)?;
    require_planned_file(run, tag)?;
    run.reporter.done(Activity::Pulled { model: tag.to_owned() });
    Ok(())
}

/// Whether the model in the store is the file that was read before the user decided; also where that is not known.
fn is_planned_file(run: &Run<'_>, tag: &ModelTag) -> bool {
    let stored = Store::new(run.models_dir()).manifest(tag);
    let stored = stored.as_ref().and_then(|stored| stored.manifest.model_layer());
    run.model().file.sha256.is_none_or(|planned| stored.is_none_or(|layer| layer.sha256 == planned))
}

/// Checks that the pulled file is the one that was read before the user decided: a tag can move in between.
fn require_planned_file(run: &Run<'_>, tag: &ModelTag) -> Result<(), InstallError> {
    match is_planned_file(run, tag) {
        true => Ok(()),
        false => Err(InstallError::ModelReplaced { model: tag.clone() }),
    }
}

/// Pulls the model. If the engine needs our relay or network settings, restarts the server with them, and without them
/// afterwards, because the relay ends with this program.
async fn pull_through_registry(
    run: &Run<'_>,
    server: &mut Server,
    tag: &ModelTag,
) -> Result<(), InstallError> {
    let source = &run.request.options.source;
    let ca_file = ca_file_for_engine(run)?;
    let egress_proxy =
        EgressProxy::open(source, ca_file.as_deref(), |name| Environment::of_process().text(name)).await?;
    if egress_proxy.is_needed() {
        run.reporter.running(Activity::EnablingRegistryAccess);
        let launch = Launch { network: egress_proxy.environment(), ..server.launch.clone() };
        server::restart(run, server, launch).await?;
    }
    pull_until_complete(run, server, tag).await?;
    if egress_proxy.is_needed() {
        run.reporter.running(Activity::DisablingRegistryAccess);
        let launch = Launch { network: BTreeMap::new(), ..server.launch.clone() };
        server::restart(run, server, launch).await?;
    }
    if let Some(copy) = ca_file.filter(|file| Some(file) != source.http.ca_file.as_ref()) {
        files::remove_file(&copy)?;
    }
    Ok(())
}

/// The certificate file that the user named, or a copy in the form that the engine reads. A copy that an interrupted run
/// left is removed with the downloads.
fn ca_file_for_engine(run: &Run<'_>) -> Result<Option<PathBuf>, InstallError> {
    let Some(path) = &run.request.options.source.http.ca_file else { return Ok(None) };
    let authorities = CaFile::read(path)?;
    if authorities.is_plain_pem && authorities.skipped.is_empty() {
        return Ok(Some(path.clone()));
    }
    let copy = run.paths.downloads().join(CA_COPY);
    run.intend(&Change::Download { path: copy.clone() })?;
    files::write_whole(&copy, authorities.to_pem().as_bytes())?;
    Ok(Some(copy))
}

/// Retries while that can help, up to [`TRIES`] attempts.
async fn pull_until_complete(run: &Run<'_>, server: &Server, tag: &ModelTag) -> Result<(), InstallError> {
    let (mut tries, mut file_waits) = (0, FileWaits::default());
    loop {
        run.control.until_resumed().await?;
        let error = match pull_once(run, server, tag).await {
            Ok(Pulled::Complete) => return Ok(()),
            Ok(Pulled::Paused) => continue,
            Ok(Pulled::DiskShort(DiskShortage { need_bytes, free_bytes })) => {
                let path = run.models_dir().to_owned();
                return Err(InstallError::DiskShort { path, need_bytes, free_bytes });
            }
            Err(error) => error,
        };
        run.control.check()?;
        if error.failure() == Some(EngineFailure::NewerEngineNeeded) {
            return Err(newer_engine_needed(run, &server.version, &error));
        }
        let error = match file_waits.wait(run, error).await? {
            None => continue,
            Some(error) => error,
        };
        tries += 1;
        if tries >= TRIES || error.failure() != Some(EngineFailure::Transient) {
            return Err(InstallError::Pull { model: tag.clone(), source: error });
        }
        run.reporter.waiting(Activity::RetryingEngine { cause: Arc::new(error) });
        run.control.or_cancelled(tokio::time::sleep(Duration::from_secs(u64::from(tries)))).await?;
    }
}

/// The registry refuses this engine. Which version it wants, it says at most in words; otherwise the catalogue may know.
fn newer_engine_needed(run: &Run<'_>, engine_version: &UntrustedText, error: &ClientError) -> InstallError {
    let running: Option<EngineVersion> = engine_version.parse().ok();
    let listed =
        run.model().minimum_engine.filter(|minimum| running.is_none_or(|running| running < *minimum));
    InstallError::NewerEngineNeeded {
        model: run.request.model.clone(),
        engine_version: engine_version.clone(),
        needed: error.server_message().and_then(needed_engine).or(listed),
    }
}

/// Removes truncated layers (power cut), which the engine would take for complete.
pub(super) async fn remove_incomplete(run: &Run<'_>, tag: &ModelTag) -> Result<(), InstallError> {
    let (store, tag, control) = (Store::new(run.models_dir()), tag.clone(), run.control.clone());
    let ours = is_ours(&changes(&run.entries()), run.models_dir());
    let removed = blocking(move || Ok(store.remove_incomplete(&tag, ours, &control)?)).await?;
    if removed > 0 {
        run.reporter.running(Activity::RefetchingLayers { count: removed });
    }
    Ok(())
}

/// Syncs a model to disk before the journal records it.
pub(super) async fn sync(run: &Run<'_>, tag: &ModelTag) -> Result<(), InstallError> {
    let store = Store::new(run.models_dir());
    let (tag, control) = (tag.clone(), run.control.clone());
    blocking(move || Ok(store.sync(&tag, &control)?)).await
}

/// Verifies every layer of a model that the engine cannot use, and removes damaged ones. Returns whether there were any,
/// so that pulling again can help.
///
/// # Errors
/// When a layer cannot be removed, or the user cancels.
pub async fn remove_damaged_layers(run: &Run<'_>) -> Result<bool, InstallError> {
    run.reporter.running(Activity::VerifyingModel);
    let store = Store::new(run.models_dir());
    let (tag, control) = (run.request.model.clone(), run.control.clone());
    let removed = blocking(move || Ok(store.remove_damaged(&[&SERVED_MODEL, &tag], &control)?)).await?;
    if removed > 0 {
        run.reporter.running(Activity::RefetchingLayers { count: removed });
    }
    Ok(removed > 0)
}

/// Whether the layers of the model have the content that their names promise. In a store that is ours alone the engine has
/// verified them; in any other store whatever was there is read, and what is damaged is removed.
async fn layers_are_good(run: &Run<'_>, ours: bool) -> Result<bool, InstallError> {
    Ok(ours || !remove_damaged_layers(run).await?)
}

/// Takes layers from other model stores on this computer. Returns whether the model is complete.
async fn reuse_layers(run: &Run<'_>, tag: &ModelTag) -> Result<bool, InstallError> {
    let stores = reuse::stores();
    if stores.is_empty() {
        return Ok(false);
    }
    let manifest = match published_manifest(run, tag).await? {
        Published::Manifest(manifest) => manifest,
        // The pull reports the same error.
        Published::Refused => return Ok(false),
        Published::Unreachable { host, cause } => match reuse::complete_in_other_store(tag, &stores) {
            Some(found) if agrees(run, tag, &found.folder, host, cause)? => found.manifest,
            _ => return Ok(false),
        },
    };
    run.reporter.running(Activity::LookingForLayers);
    let reused = reuse::reuse_layers(tag, &manifest, run.models_dir(), &stores, run.control)?;
    if reused.bytes > 0 {
        tracing::info!(bytes = reused.bytes, complete = reused.complete, "layers of another server are used");
    }
    Ok(reused.complete)
}

/// Whether the served model's files were changed since they were measured, so that the store cannot be trusted.
pub(super) fn was_changed(run: &Run<'_>) -> bool {
    let profile = run.snapshot.installed.as_ref().map(|installed| &installed.profile);
    let measured = profile.and_then(|profile| Some((&profile.models_dir, profile.served.as_ref()?)));
    measured.is_some_and(|(models_dir, before)| {
        *models_dir == *run.models_dir()
            && Store::new(models_dir).difference(&SERVED_MODEL, before, run.control).is_some()
    })
}

/// Whether an existing model is the registry's: it is what the served model was made of when that was measured, or, before
/// that, what was pulled into a store that is ours alone, as the journal shows. Otherwise the registry is queried, also for a
/// store below the home.
async fn is_verified(run: &Run<'_>, tag: &ModelTag, ours: bool) -> Result<bool, InstallError> {
    let store = run.models_dir();
    let Some(stored) = Store::new(store).manifest(tag) else { return Ok(false) };
    if is_what_was_served(run, tag, &stored.manifest).unwrap_or(ours) {
        return Ok(true);
    }
    match published_manifest(run, tag).await? {
        Published::Manifest(published) => Ok(published.manifest == stored.manifest),
        Published::Refused => Ok(false),
        Published::Unreachable { host, cause } => agrees(run, tag, store, host, cause),
    }
}

/// Whether a model in the store, which came from a file, is what was put there: it is what the served model was made of when
/// that was measured, or, before that, only our server uses the store. Its layers are good.
pub(super) async fn is_usable(run: &Run<'_>, tag: &ModelTag) -> Result<bool, InstallError> {
    let ours = is_ours(&changes(&run.entries()), run.models_dir());
    let Some(stored) = Store::new(run.models_dir()).manifest(tag) else { return Ok(false) };
    Ok(is_what_was_served(run, tag, &stored.manifest).unwrap_or(ours) && layers_are_good(run, ours).await?)
}

/// Whether the served model, as it was measured, was made of this one: any user of the computer can put another model under
/// the tag through the server's API. `None` if none was made of it yet.
fn is_what_was_served(run: &Run<'_>, tag: &ModelTag, manifest: &Manifest) -> Option<bool> {
    run.snapshot.installed.as_ref()?.profile.was_made_of(tag, run.models_dir(), manifest)
}

/// Whether the user agrees to a model whose only manifest is in another store.
///
/// # Errors
/// When the user has not been asked yet.
fn agrees(
    run: &Run<'_>,
    tag: &ModelTag,
    store: &Path,
    host: String,
    cause: UnreachableCause,
) -> Result<bool, InstallError> {
    run.request.agreement.unverified_model.ok_or_else(|| InstallError::UnverifiedModel {
        model: tag.to_owned(),
        store: store.to_owned(),
        host,
        cause,
    })
}

/// A registry's answer about a model.
enum Published {
    Manifest(StoredManifest),
    /// It responds, but not with a manifest.
    Refused,
    Unreachable {
        host: String,
        cause: UnreachableCause,
    },
}

async fn published_manifest(run: &Run<'_>, tag: &ModelTag) -> Result<Published, InstallError> {
    let options = &run.request.options;
    let remote = Remote::new(
        http::client(&options.source.http, tag.named_host())?,
        tag.clone(),
        options.insecure_registry,
    );
    Ok(match run.control.or_cancelled(remote.manifest()).await? {
        Ok(manifest) => Published::Manifest(manifest),
        Err(RegistryError::Unreachable { host, cause, .. }) => Published::Unreachable { host, cause },
        Err(error) => {
            tracing::info!(%error, "the registry did not name the layers");
            Published::Refused
        }
    })
}

enum Pulled {
    Complete,
    Paused,
    DiskShort(DiskShortage),
}

async fn pull_once(run: &Run<'_>, server: &Server, tag: &ModelTag) -> Result<Pulled, ClientError> {
    let mut layers: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut stalls_reported = 0;
    let mut phase = Status::Other;
    let left = Cell::new(0);
    let report = |line: &StatusLine| {
        let Some(digest) = &line.digest else {
            if line.status != phase && line.status == Status::Verifying {
                run.reporter.running(Activity::VerifyingPull);
            }
            phase = line.status;
            return;
        };
        let layer = layers.entry(digest.clone()).or_default();
        *layer = (layer.0.max(line.completed), layer.1.max(line.total));
        let done: u64 = layers.values().map(|layer| layer.0).sum();
        let known: u64 = layers.values().map(|layer| layer.1).sum();
        left.set(known.saturating_sub(done));
        let total = known.max(run.model().download_bytes);
        let stalled = run.reporter.bytes(done, Some(total), Activity::Pulling { model: tag.to_owned() });
        // A stall is reported when it begins, and again every 15 seconds.
        let seconds = stalled.map_or(0, |stalled| stalled.as_secs());
        if seconds / 15 > stalls_reported {
            run.reporter.waiting(Activity::PullStalled { seconds });
        }
        stalls_reported = seconds / 15;
    };
    let pulling = server.client.pull(tag, run.request.options.insecure_registry, report);
    tokio::select! {
        biased;
        () = run.control.token().cancelled() => Ok(Pulled::Paused),
        () = run.control.paused() => {
            run.reporter.waiting(Activity::Paused);
            Ok(Pulled::Paused)
        }
        shortage = disk_shortage(run.models_dir(), &left) => Ok(Pulled::DiskShort(shortage)),
        pulled = pulling => pulled.map(|()| Pulled::Complete),
    }
}

/// Returns when the disk has less free space than is left to fetch; the engine notices only a full disk.
async fn disk_shortage(models_dir: &Path, left: &Cell<u64>) -> DiskShortage {
    let mut disk = DiskWatch::new(models_dir);
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        if let Some(shortage) = disk.shortage(left.get()) {
            return shortage;
        }
    }
}

/// Copies the served model to a second name until the new one is verified. After an interrupted change the second name
/// already holds the last verified one.
///
/// # Errors
/// When the engine refuses, the journal cannot be written, or the user cancels.
pub async fn keep_previous(run: &Run<'_>, server: &Server) -> Result<(), InstallError> {
    if run.snapshot.installed.is_none() || !is_listed(run, server, &SERVED_MODEL).await? {
        return Ok(());
    }
    let change =
        Change::CreateModel { name: PREVIOUS_MODEL.clone(), models_dir: run.models_dir().to_owned() };
    if was_completed(&run.entries(), &change) && is_listed(run, server, &PREVIOUS_MODEL).await? {
        return Ok(());
    }
    run.intend(&change)?;
    while_in_use(run, || server.client.copy(&SERVED_MODEL, &PREVIOUS_MODEL)).await?;
    run.done(&change)
}

/// Deletes the second name. Call after a success.
pub async fn remove_previous(server: &Server) {
    if let Err(error) = server.client.delete(&PREVIOUS_MODEL).await {
        tracing::warn!(%error, "{PREVIOUS_MODEL} could not be deleted");
    }
}

/// Creates `acolyte:latest` and reads its parameters back.
///
/// # Errors
/// When the engine refuses, keeps other parameters than requested, or the user cancels.
pub async fn create(run: &Run<'_>, server: &Server, placement: Placement) -> Result<(), InstallError> {
    run.reporter.started(Step::CreateModel, Activity::CreatingModel { model: SERVED_MODEL.to_owned() });
    create_with(run, server, placement).await?;
    run.reporter.done(Activity::ModelCreated { model: SERVED_MODEL.to_owned() });
    Ok(())
}

/// Creates it with this placement.
///
/// # Errors
/// When the engine refuses, keeps other parameters than requested, or the user cancels.
pub async fn create_with(run: &Run<'_>, server: &Server, placement: Placement) -> Result<(), InstallError> {
    let candidate = &run.request.plan.candidate;
    let parameters = CreateParameters {
        num_ctx: candidate.context_tokens,
        num_gpu: if placement.automatic { AUTOMATIC } else { i64::from(placement.gpu_layers) },
        num_batch: placement.options.num_batch,
        num_thread: placement.options.num_thread,
        draft_num_predict: placement.options.draft_num_predict,
        use_mmap: placement.options.use_mmap,
    };
    let request = CreateRequest { model: SERVED_MODEL.clone(), from: run.request.model.clone(), parameters };
    let change = Change::CreateModel { name: SERVED_MODEL.clone(), models_dir: run.models_dir().to_owned() };
    run.intend(&change)?;
    while_in_use(run, || server.client.create(&request, |_| ())).await?;
    sync(run, &SERVED_MODEL).await?;
    run.done(&change)?;

    let shown = run.control.or_cancelled(server.client.show(&SERVED_MODEL)).await??;
    for (name, wanted) in parameters.shown() {
        let found = shown.parameter(name).unwrap_or("-");
        if found != wanted {
            return Err(InstallError::ParameterDropped { name, wanted, found: found.into() });
        }
    }
    // Checked before loading, which takes minutes.
    let carried = shown.trained_context_tokens().unwrap_or(u64::MAX);
    if carried < u64::from(parameters.num_ctx) {
        return Err(InstallError::ContextClamped {
            wanted_tokens: parameters.num_ctx,
            found_tokens: carried,
        });
    }
    Ok(())
}

async fn is_listed(run: &Run<'_>, server: &Server, tag: &ModelTag) -> Result<bool, InstallError> {
    let listed = run.control.or_cancelled(server.client.tags()).await??;
    Ok(listed.iter().any(|model| tag.is(&model.name)))
}
