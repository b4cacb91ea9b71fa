//! The engine: downloaded, verified and unpacked into a staging folder at the same time, then moved to its folder in one
//! rename. If the user chose so, an engine or archive on this computer is used instead.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::checksum::Sha256;
use crate::install::blocking::blocking;
use crate::install::change::Change;
use crate::install::engine_manifest::EngineManifest;
use crate::install::event::Activity;
use crate::install::fetch::{self, DownloadProgress, DownloadRequest, GrowingFile};
use crate::install::reuse::{InstalledEngine, NotReusable, copy_engine};
use crate::install::run_context::Run;
use crate::install::steps::engine_plan::{Contents, EnginePlan};
use crate::install::unpack::{self, Following, UnpackError, UnpackLimits, UnpackedFile};
use crate::install::{EngineRecord, InstallError, Step, private_server};
use crate::ollama::http;
use crate::ollama::release::{Asset, Release, find_program};
use crate::platform::files::{self, creating, reading};

/// An engine in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Its version, as the release says.
    pub version: String,
    /// Its program.
    pub program: PathBuf,
    /// Its origin.
    pub record: EngineRecord,
}

/// Runs the two steps.
///
/// # Errors
/// When the engine cannot be downloaded, verified, unpacked or moved to its place, or the user cancels.
pub async fn run(run: &Run<'_>, plan: EnginePlan) -> Result<Engine, InstallError> {
    let record = plan.record(run);
    run.reporter.started(Step::FetchEngine, Activity::FetchingEngine { version: plan.version.clone() });
    if let Some(program) = plan.in_place {
        run.reporter.skipped(Activity::EngineInPlace { version: plan.version.clone() });
        run.reporter.started(Step::UnpackEngine, Activity::Unpacking);
        run.reporter.skipped(Activity::NothingToUnpack);
        return Ok(Engine { version: plan.version, program, record });
    }
    let staging = unpack::beside(&plan.folder, "unpacking");
    let change = Change::UnpackEngine {
        version: plan.version.clone(),
        path: plan.folder.clone(),
        staging: staging.clone(),
    };
    run.intend(&change)?;
    // Leftovers of an interrupted run.
    files::remove_folder(&staging)?;
    let filled = match fill(run, &plan, &staging).await {
        Ok(files) => sync_and_write_manifest(run, &plan, &staging, files).await,
        Err(error) => Err(error),
    };
    if filled.is_err()
        && let Err(error) = files::remove_folder(&staging)
    {
        // The first error is the one that matters. The next run removes the rest.
        tracing::warn!(%error, "a staging folder is left");
    }
    filled?;
    back_up_engine(run, &plan.folder).await?;
    unpack::publish(&staging, &plan.folder, &mut |held| {
        run.reporter.waiting(Activity::FileHeld(held.clone()));
    })?;
    run.done(&change)?;
    let program =
        find_program(&plan.folder).ok_or_else(|| InstallError::NoProgram { folder: plan.folder.clone() })?;
    for archive in plan.downloads(run) {
        files::remove_file(&archive)?;
    }
    run.reporter.done(Activity::Unpacked { path: plan.folder });
    Ok(Engine { version: plan.version, program, record })
}

/// Moves another build of the same version to a backup folder until the new one has responded. Another version has its
/// own folder and stays.
async fn back_up_engine(run: &Run<'_>, folder: &Path) -> Result<(), InstallError> {
    if !folder.exists() {
        return Ok(());
    }
    // No process may run from there while it is replaced.
    private_server::stop(run.paths).await?;
    let backup = unpack::beside(folder, "before");
    if run.snapshot.installed.is_none() || backup.exists() {
        // It is not in use: the active engine, if there is one, has a backup already.
        return Ok(files::remove_folder(folder)?);
    }
    run.apply(Change::BackUpEngine { path: folder.to_owned(), backup })
}

/// Writes the manifest into the staging folder after every file is synced.
async fn sync_and_write_manifest(
    run: &Run<'_>,
    plan: &EnginePlan,
    staging: &Path,
    files: Vec<UnpackedFile>,
) -> Result<(), InstallError> {
    if find_program(staging).is_none() {
        return Err(InstallError::NoProgram { folder: staging.to_owned() });
    }
    run.reporter.running(Activity::SyncingEngine);
    let manifest = EngineManifest::new(&plan.version, plan.archives(), staging, files)?;
    let (staging, control) = (staging.to_owned(), run.control.clone());
    blocking(move || manifest.sync_and_write(&staging, &control)).await
}

/// Fills the staging folder and returns its files. Ends inside the second step.
async fn fill(run: &Run<'_>, plan: &EnginePlan, staging: &Path) -> Result<Vec<UnpackedFile>, InstallError> {
    match &plan.contents {
        Contents::Installed { engine, sha256 } => {
            run.reporter.skipped(Activity::ReusingEngine { program: engine.program.clone() });
            run.reporter.started(Step::UnpackEngine, Activity::CopyingEngine);
            let total = engine.bytes;
            let report = |done| {
                run.reporter.bytes(done, Some(total), Activity::CopyingEngine);
            };
            let copied = copy_engine(engine, staging, run.control, &report);
            run.control.check()?;
            let copied = copied?;
            verify_copy(engine, *sha256, staging)?;
            Ok(copied.into_iter().map(|path| UnpackedFile { path, crc32: None }).collect())
        }
        Contents::Release { assets, .. } if assets.iter().all(|(_, path)| path.is_some()) => {
            run.reporter.skipped(Activity::UsingArchives);
            run.reporter.started(Step::UnpackEngine, Activity::Unpacking);
            let archives: Vec<(PathBuf, &Asset)> =
                assets.iter().filter_map(|(asset, path)| Some((path.clone()?, asset))).collect();
            unpack_local(run, &archives, staging)
        }
        Contents::Release { release, assets } => {
            let assets: Vec<&Asset> = assets.iter().map(|(asset, _)| asset).collect();
            fetch_and_unpack(run, release, &assets, staging).await
        }
    }
}

/// The receipt's checksum was computed before the copy: the copied program must have the same.
fn verify_copy(engine: &InstalledEngine, sha256: Sha256, staging: &Path) -> Result<(), InstallError> {
    let Some(program) = find_program(staging) else { return Ok(()) };
    if files::sha256(&program, &|| false).map_err(reading(&program))? == sha256 {
        return Ok(());
    }
    Err(InstallError::EngineChanged { program: engine.program.clone(), reason: NotReusable::Changed })
}

/// Limits for an archive: the unpacked size of its release, and at least its own length.
fn limits(asset: &Asset) -> UnpackLimits {
    let expected_bytes = asset.unpacked_bytes.or(asset.bytes).unwrap_or(0);
    UnpackLimits { expected_bytes, ..UnpackLimits::default() }
}

/// Unpacks archives that the user named, verified while they are unpacked.
fn unpack_local(
    run: &Run<'_>,
    archives: &[(PathBuf, &Asset)],
    staging: &Path,
) -> Result<Vec<UnpackedFile>, InstallError> {
    let all: u64 = archives.iter().map(|(path, _)| files::length(path)).sum();
    let (mut before, mut unpacked) = (0, Vec::new());
    for (path, asset) in archives {
        let report = |progress: unpack::UnpackProgress| {
            run.reporter.bytes(before + progress.bytes_done, Some(all), Activity::Unpacking);
        };
        let (sha256, limits) = (asset.sha256, limits(asset));
        unpacked.extend(unpack::unpack_verified(path, sha256, staging, limits, &report, run.control)?.files);
        before += files::length(path);
    }
    Ok(unpacked)
}

/// Downloads the archives, and unpacks the first one, which is nearly all of it, at the same time.
async fn fetch_and_unpack(
    run: &Run<'_>,
    release: &Release,
    assets: &[&Asset],
    staging: &Path,
) -> Result<Vec<UnpackedFile>, InstallError> {
    let Some((base, extras)) = assets.split_first() else { return Ok(Vec::new()) };
    let dest = run.paths.downloads().join(&base.name);
    let growing_file = GrowingFile::new();
    let following = unpack::follow(
        growing_file.clone(),
        dest.clone(),
        staging.to_owned(),
        limits(base),
        run.control.clone(),
    );
    let following = following.map_err(creating(staging))?;
    let fetched = fetch_all(run, release, base, extras, &growing_file).await;
    if fetched.is_err() {
        // The caller removes the folder, so wait until nothing writes there.
        growing_file.abandon();
        let _abandoned = following.outcome.await;
        return fetched.map(|_| Vec::new());
    }
    run.reporter.done(Activity::EngineFetched);
    run.reporter.started(Step::UnpackEngine, Activity::Unpacking);
    let mut unpacked = unpacked_while_fetching(run, following, files::length(&dest)).await?;
    let archives: Vec<(PathBuf, &Asset)> =
        extras.iter().map(|asset| (run.paths.downloads().join(&asset.name), *asset)).collect();
    unpacked.extend(unpack_local(run, &archives, staging)?);
    Ok(unpacked)
}

async fn fetch_all(
    run: &Run<'_>,
    release: &Release,
    base: &Asset,
    extras: &[&Asset],
    growing_file: &GrowingFile,
) -> Result<(), InstallError> {
    fetch(run, release, base, Some(growing_file.clone())).await?;
    for asset in extras {
        fetch(run, release, asset, None).await?;
    }
    Ok(())
}

async fn fetch(
    run: &Run<'_>,
    release: &Release,
    asset: &Asset,
    growing_file: Option<GrowingFile>,
) -> Result<(), InstallError> {
    let source = &run.request.options.source;
    let dest = run.paths.downloads().join(&asset.name);
    let change = Change::Download { path: dest.clone() };
    run.intend(&change)?;
    let urls = release.urls(asset, &source.mirrors)?;
    let mut request = DownloadRequest::new(urls, dest.clone(), asset.bytes, asset.sha256);
    if !source.mirrors.is_empty() {
        // Plain http is allowed to addresses the user named: the hash is verified anyway.
        request.policy = request.urls.iter().fold(request.policy, |policy, url| policy.allowing_http_to(url));
    }
    request.max_bytes_per_s = source.max_bytes_per_s;
    request.growing_file = growing_file;
    let report = |progress: DownloadProgress| match progress.waiting_for {
        Some(waiting) => run.reporter.waiting_throttled(Activity::DownloadWaits(waiting)),
        None => {
            let activity = Activity::FetchingArchive { name: asset.name.clone() };
            run.reporter.bytes_at_rate(
                progress.bytes_done,
                progress.bytes_total,
                progress.bytes_per_s,
                activity,
            )
        }
    };
    let named = if source.mirrors.is_empty() { &[][..] } else { &request.urls[..] };
    let named = named.iter().filter_map(|url| url.host_str().map(str::to_owned));
    let client = http::client(&source.http, named)?;
    fetch::download(&client, &request, &report, run.control).await?;
    run.done(&change)
}

/// Waits for unpacking to finish after everything is downloaded.
async fn unpacked_while_fetching(
    run: &Run<'_>,
    mut following: Following,
    bytes: u64,
) -> Result<Vec<UnpackedFile>, InstallError> {
    const TICK: Duration = Duration::from_millis(100);
    let mut reported = 0;
    loop {
        let done = following.bytes_done().min(bytes);
        if done != reported {
            reported = done;
            run.reporter.bytes(done, Some(bytes), Activity::Unpacking);
        }
        if let Ok(outcome) = tokio::time::timeout(TICK, &mut following.outcome).await {
            let lost = || UnpackError::Damaged {
                path: run.paths.downloads(),
                problem: "the unpacking thread ended early".into(),
            };
            return Ok(outcome.unwrap_or_else(|_| Err(lost()))?.files);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The program was exchanged after its checksum was taken.
    #[test]
    fn a_copy_of_another_program_than_was_hashed_is_refused() {
        let staging = tempfile::tempdir().unwrap();
        let name = if cfg!(windows) { "ollama.exe" } else { "ollama" };
        std::fs::write(staging.path().join(name), "program").unwrap();
        let engine = InstalledEngine {
            version: "0.32.15".to_owned(),
            program: PathBuf::from("/usr/bin/ollama"),
            bytes: 7,
        };
        verify_copy(&engine, Sha256::of(b"program"), staging.path()).unwrap();
        let refused = verify_copy(&engine, Sha256::of(b"PROGRAM"), staging.path());
        let is_changed = matches!(
            &refused,
            Err(InstallError::EngineChanged { program, reason: NotReusable::Changed }) if *program == engine.program
        );
        assert!(is_changed, "{refused:?}");
    }
}
