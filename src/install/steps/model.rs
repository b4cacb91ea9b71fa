//! The model: pulled, made into `acolyte:latest`, and read back, because the engine takes anything in silence.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::install::manage::uninstall::is_ours;
use crate::install::room::{Room, Short};
use crate::install::run::{Job, blocking};
use crate::install::state::documents::{PREVIOUS_MODEL, SERVED_MODEL};
use crate::install::state::journal::{Change, changes, was_made};
use crate::install::steps::server::{self, Server};
use crate::install::{InstallError, Step, reuse};
use crate::models::Model;
use crate::models::ModelTag;
use crate::ollama::client::{AUTOMATIC, ClientError, CreateParameters, CreateRequest};
use crate::ollama::failure::EngineFailure;
use crate::ollama::http;
use crate::ollama::manifest::Manifest;
use crate::ollama::registry::Remote;
use crate::ollama::replies::StatusLine;
use crate::ollama::store::Store;
use crate::say;

/// How often a pull that broke is taken up again, where trying again can help.
const TRIES: u32 = 3;

/// Pulls the model.
pub async fn pull(job: &mut Job<'_>, server: &mut Server) -> Result<(), InstallError> {
    let model = job.request.plan.candidate.model.clone();
    job.reporter.started(Step::PullModel, say!(job.text, "install-pulling", model = model.tag.clone()));
    let models_dir = &job.request.options.models_dir;
    if Store::new(models_dir).has(&model.tag) && is_listed(job, server, &model.tag).await? {
        job.reporter.skipped(say!(job.text, "install-pull-skipped", model = model.tag.clone()));
        return Ok(());
    }
    let change = Change::PullModel { tag: model.tag.clone(), models_dir: models_dir.clone() };
    job.journal.intend(change.clone())?;
    remove_torn(job, &model.tag).await?;
    if take_over(job, &model.tag).await? && is_listed(job, server, &model.tag).await? {
        make_last(job, &model.tag).await?;
        job.journal.done(change)?;
        job.reporter.skipped(say!(job.text, "install-pull-taken-over", model = model.tag.clone()));
        return Ok(());
    }
    server::reach_out(job, server).await?;
    pull_until_whole(job, server, &model).await?;
    server::come_back(job, server).await?;
    make_last(job, &model.tag).await?;
    job.journal.done(change)?;
    job.reporter.done(say!(job.text, "install-pulled", model = model.tag.clone()));
    Ok(())
}

/// Pulls as often as that can help.
async fn pull_until_whole(job: &Job<'_>, server: &Server, model: &Model) -> Result<(), InstallError> {
    let mut tries = 0;
    loop {
        job.control.until_resumed().await?;
        let error = match pull_once(job, server, &model.tag, model.download_bytes).await {
            Ok(Pulled::Whole) => return Ok(()),
            Ok(Pulled::Paused) => continue,
            Ok(Pulled::NoRoom(Short { need_bytes, free_bytes })) => {
                let path = job.request.options.models_dir.clone();
                return Err(InstallError::DiskShort { path, need_bytes, free_bytes });
            }
            Err(error) => error,
        };
        job.control.check()?;
        tries += 1;
        if tries >= TRIES || error.failure() != Some(EngineFailure::Transient) {
            return Err(InstallError::Pull { model: model.tag.clone(), source: error });
        }
        job.reporter.waiting(say!(job.text, "install-pull-again", cause = error.explain(job.text)));
        job.control.or_cancelled(tokio::time::sleep(Duration::from_secs(u64::from(tries)))).await?;
    }
}

/// Removes layers that a power cut left half-written: the engine would take them for whole.
async fn remove_torn(job: &Job<'_>, tag: &str) -> Result<(), InstallError> {
    let models_dir = &job.request.options.models_dir;
    let (store, tag, control) = (Store::new(models_dir), tag.to_owned(), job.control.clone());
    let ours = is_ours(&job.paths, &changes(job.journal.entries()), models_dir);
    let removed = blocking(move || Ok(store.remove_incomplete(&tag, ours, &control)?)).await?;
    if removed > 0 {
        job.reporter.running(say!(job.text, "install-pull-mending", count = removed));
    }
    Ok(())
}

/// Has the disk keep a model before the journal says that it is there.
async fn make_last(job: &Job<'_>, tag: &str) -> Result<(), InstallError> {
    let store = Store::new(&job.request.options.models_dir);
    let (tag, control) = (tag.to_owned(), job.control.clone());
    blocking(move || Ok(store.sync(&tag, &control)?)).await
}

/// After the engine could not use the model: holds every layer against its name and removes those that are damaged. True
/// when there were any, so that trying again can help.
pub async fn mend(job: &Job<'_>) -> Result<bool, InstallError> {
    job.reporter.running(say!(job.text, "install-model-checking"));
    let store = Store::new(&job.request.options.models_dir);
    let (tag, control) = (job.request.plan.candidate.model.tag.clone(), job.control.clone());
    let removed = blocking(move || Ok(store.remove_damaged(&[SERVED_MODEL, &tag], &control)?)).await?;
    if removed > 0 {
        job.reporter.running(say!(job.text, "install-pull-mending", count = removed));
    }
    Ok(removed > 0)
}

/// Layers that other servers on this computer have; true when that is all of them.
async fn take_over(job: &Job<'_>, tag: &str) -> Result<bool, InstallError> {
    let options = &job.request.options;
    let stores = reuse::stores();
    if stores.is_empty() {
        return Ok(false);
    }
    let known = stores.iter().any(|store| Store::new(store).manifest(tag).is_some());
    let published = if known { None } else { published_layers(job, tag).await? };
    job.reporter.running(say!(job.text, "install-looking-for-layers"));
    let ours = &options.models_dir;
    let reused = reuse::reuse_layers(tag, published.as_ref(), ours, &stores, job.control)?;
    if reused.bytes > 0 {
        tracing::info!(bytes = reused.bytes, complete = reused.complete, "layers of another server are used");
    }
    Ok(reused.complete)
}

/// The layers of a model as its registry names them. A registry that does not answer now is told about by the pull.
async fn published_layers(job: &Job<'_>, tag: &str) -> Result<Option<Manifest>, InstallError> {
    let options = &job.request.options;
    let Ok(tag) = ModelTag::parse(tag) else { return Ok(None) };
    let client = http::client(&options.source.http)?;
    let remote = Remote::new(client, tag, options.insecure_registry);
    match job.control.or_cancelled(remote.manifest()).await? {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) => {
            tracing::info!(%error, "the registry did not tell which layers there are");
            Ok(None)
        }
    }
}

enum Pulled {
    Whole,
    Paused,
    NoRoom(Short),
}

async fn pull_once(job: &Job<'_>, server: &Server, tag: &str, expected: u64) -> Result<Pulled, ClientError> {
    let mut layers: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (reporter, text) = (job.reporter, job.text);
    let mut waiting_told = 0;
    let mut phase = String::new();
    let left = Cell::new(0);
    let tell = |line: &StatusLine| {
        let Some(digest) = &line.digest else {
            if line.status != phase && line.status.starts_with("verifying") {
                reporter.running(say!(text, "install-pull-verifying"));
            }
            phase.clone_from(&line.status);
            return;
        };
        let layer = layers.entry(digest.clone()).or_default();
        *layer = (layer.0.max(line.completed), layer.1.max(line.total));
        let done: u64 = layers.values().map(|layer| layer.0).sum();
        let sure: u64 = layers.values().map(|layer| layer.1).sum();
        left.set(sure.saturating_sub(done));
        let total = sure.max(expected);
        let message = || say!(text, "install-pulling", model = tag.to_owned());
        let stalled = reporter.bytes(done, Some(total), message);
        // A word when it begins to stand still, and again every 15 seconds.
        let still = stalled.map_or(0, |stalled| stalled.as_secs() / 15);
        if still > waiting_told {
            let duration = text.duration(stalled.unwrap_or_default().as_secs_f64());
            reporter.waiting(say!(text, "install-pull-stalled", duration = duration));
        }
        waiting_told = still;
    };
    let pulling = server.client.pull(tag, job.request.options.insecure_registry, tell);
    tokio::select! {
        biased;
        () = job.control.token().cancelled() => Ok(Pulled::Paused),
        () = job.control.paused() => {
            reporter.waiting(say!(text, "install-paused"));
            Ok(Pulled::Paused)
        }
        short = no_room(&job.request.options.models_dir, &left) => Ok(Pulled::NoRoom(short)),
        pulled = pulling => pulled.map(|()| Pulled::Whole),
    }
}

/// Ends when the disk has less room than is left to be fetched: the engine itself looks only when it is full.
async fn no_room(models_dir: &Path, left: &Cell<u64>) -> Short {
    let (mut room, mut tick) = (Room::on_disk_of(models_dir), tokio::time::interval(Duration::from_secs(1)));
    loop {
        tick.tick().await;
        if let Some(short) = room.short_of(left.get()) {
            return short;
        }
    }
}

/// Keeps what ACOLYTE is served now under a second name, until the new one is verified. After a change that was cut
/// short the second name already holds the last verified one.
pub async fn keep_previous(job: &mut Job<'_>, server: &Server) -> Result<(), InstallError> {
    if job.previous.is_none() || !is_listed(job, server, SERVED_MODEL).await? {
        return Ok(());
    }
    let change = kept_previous(&job.request.options.models_dir);
    if was_made(job.journal.entries(), &change) && is_listed(job, server, PREVIOUS_MODEL).await? {
        return Ok(());
    }
    job.journal.intend(change.clone())?;
    job.control.or_cancelled(server.client.copy(SERVED_MODEL, PREVIOUS_MODEL)).await??;
    Ok(job.journal.done(change)?)
}

/// After a failure: what ACOLYTE was served before. Where the engine does not answer any more, its files are changed
/// without it.
pub async fn put_previous_back(job: &Job<'_>, server: Option<&Server>) -> Result<(), InstallError> {
    let models_dir = &job.request.options.models_dir;
    if !was_made(job.journal.entries(), &kept_previous(models_dir)) {
        return Ok(());
    }
    if let Some(server) = server {
        match server.client.copy(PREVIOUS_MODEL, SERVED_MODEL).await {
            Ok(()) => {
                server.client.delete(PREVIOUS_MODEL).await?;
                return Ok(());
            }
            Err(error) => tracing::warn!(%error, "the engine cannot put {PREVIOUS_MODEL} back"),
        }
    }
    Ok(Store::new(models_dir).rename(PREVIOUS_MODEL, SERVED_MODEL).map(drop)?)
}

/// What the journal says of keeping it.
pub fn kept_previous(models_dir: &Path) -> Change {
    Change::CreateModel { name: PREVIOUS_MODEL.to_owned(), models_dir: models_dir.to_owned() }
}

/// After a good end the second name is not needed any more.
pub async fn drop_previous(server: &Server) {
    if let Err(error) = server.client.delete(PREVIOUS_MODEL).await {
        tracing::warn!(%error, "{PREVIOUS_MODEL} could not be deleted");
    }
}

/// Creates `acolyte:latest` and reads its parameters back.
pub async fn create(job: &mut Job<'_>, server: &Server) -> Result<(), InstallError> {
    job.reporter.started(Step::CreateModel, say!(job.text, "install-creating", model = SERVED_MODEL));
    create_with(job, server).await?;
    job.reporter.done(say!(job.text, "install-created", model = SERVED_MODEL));
    Ok(())
}

/// Creates it with as many layers on the GPU as the job says now.
pub async fn create_with(job: &mut Job<'_>, server: &Server) -> Result<(), InstallError> {
    let candidate = &job.request.plan.candidate;
    let parameters = CreateParameters {
        num_ctx: candidate.context_tokens,
        num_gpu: if job.automatic { AUTOMATIC } else { i64::from(job.gpu_layers) },
        num_batch: candidate.num_batch,
    };
    let request =
        CreateRequest { model: SERVED_MODEL.to_owned(), from: candidate.model.tag.clone(), parameters };
    let models_dir = job.request.options.models_dir.clone();
    let change = Change::CreateModel { name: SERVED_MODEL.to_owned(), models_dir };
    job.journal.intend(change.clone())?;
    job.control.or_cancelled(server.client.create(&request, |_| ())).await??;
    make_last(job, SERVED_MODEL).await?;
    job.journal.done(change)?;

    let shown = job.control.or_cancelled(server.client.show(SERVED_MODEL)).await??;
    let wanted = [
        ("num_ctx", i64::from(parameters.num_ctx)),
        ("num_gpu", parameters.num_gpu),
        ("num_batch", i64::from(parameters.num_batch)),
    ];
    for (name, wanted) in wanted {
        let found = shown.parameter(name).unwrap_or("-");
        if found != wanted.to_string() {
            return Err(InstallError::ParameterDropped { name, wanted, found: found.to_owned() });
        }
    }
    // Said here already, because loading takes minutes and would only find out the same.
    let carried = shown.trained_context_tokens().unwrap_or(u64::MAX);
    if carried < u64::from(parameters.num_ctx) {
        return Err(InstallError::ContextClamped {
            wanted_tokens: parameters.num_ctx,
            found_tokens: carried,
        });
    }
    Ok(())
}

async fn is_listed(job: &Job<'_>, server: &Server, tag: &str) -> Result<bool, InstallError> {
    let listed = job.control.or_cancelled(server.client.tags()).await??;
    let wanted = ModelTag::parse(tag).ok();
    Ok(listed.iter().any(|model| model.name == tag || ModelTag::parse(&model.name).ok() == wanted))
}
