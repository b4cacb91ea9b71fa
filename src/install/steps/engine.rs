//! The engine: fetched, verified and unpacked beside its place at once, moved there in one rename. One that is on this
//! computer already, as an archive or installed, is taken instead where the person wants that.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::checksum::Sha256;
use crate::control::Cancelled;
use crate::install::fetch::{self, DownloadRequest, Progress, Tail};
use crate::install::reuse::{InstalledEngine, copy_engine};
use crate::install::run::{Job, blocking};
use crate::install::state::journal::Change;
use crate::install::steps::aside;
use crate::install::steps::mark::{Look, Mark};
use crate::install::unpack::{self, Following, Limits, UnpackError, UnpackedFile};
use crate::install::{ArchiveRecord, EngineRecord, EngineSource, InstallError, Step};
use crate::machine::Backend;
use crate::ollama::http;
use crate::ollama::release::{Asset, AssetRole, Release, find_program};
use crate::platform::files;
use crate::platform::files::creating;
use crate::say;

/// An engine in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Its version, as the release says.
    pub version: String,
    /// Its program.
    pub program: PathBuf,
    /// Where it came from.
    pub record: EngineRecord,
}

/// What is to be put in its place, and where that is.
pub struct Plan {
    version: String,
    contents: Contents,
    folder: PathBuf,
    /// Its program, when exactly this is in its place already and whole.
    in_place: Option<PathBuf>,
}

/// What becomes the engine.
enum Contents {
    /// Archives of a release, the base first; those that lie here with their paths.
    Release { release: Box<Release>, assets: Vec<(Asset, Option<PathBuf>)> },
    /// An engine that is here, with the SHA-256 of its program.
    Installed { engine: InstalledEngine, sha256: Sha256 },
}

/// What this request needs of which release, and whether that is here. Reads all of an engine that is: a power cut, or
/// whatever else happens to files, must not stay unnoticed.
pub fn plan(job: &Job<'_>) -> Result<Plan, InstallError> {
    let source = &job.request.options.source;
    let (version, contents) = match (source.choice.release()?, &source.choice) {
        (Some(release), _) => {
            let on_rocm = job.gpu_layers > 0
                && job.request.plan.machine.gpus.first().is_some_and(|gpu| gpu.backend == Backend::Rocm);
            let assets = with_archives(assets_of(&release, on_rocm)?, source);
            (release.version.clone(), Contents::Release { release: Box::new(release), assets })
        }
        (None, crate::install::EngineChoice::Installed(engine)) => {
            let sha256 = engine.program_sha256()?;
            (engine.version.clone(), Contents::Installed { engine: engine.clone(), sha256 })
        }
        (None, _) => return Err(crate::ollama::release::ReleaseError::NoAddress.into()),
    };
    let folder = job.paths.engine(&version);
    let mut plan = Plan { version, contents, folder, in_place: None };
    plan.in_place = plan.look(job)?;
    Ok(plan)
}

fn assets_of(release: &Release, on_rocm: bool) -> Result<Vec<Asset>, InstallError> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let mut assets = vec![release.asset(AssetRole::Base, os, arch)?.clone()];
    if on_rocm {
        // Not every release lists it; without it the engine uses Vulkan.
        assets.extend(release.asset(AssetRole::Rocm, os, arch).ok().cloned());
    }
    Ok(assets)
}

/// Which archive lies where: one that is named as the release names it, else the next one, because people rename files.
/// An extra that nobody brought along is left out: whoever names archives may have no network at all.
fn with_archives(assets: Vec<Asset>, source: &EngineSource) -> Vec<(Asset, Option<PathBuf>)> {
    if source.archives.is_empty() {
        return assets.into_iter().map(|asset| (asset, None)).collect();
    }
    let mut left = source.archives.clone();
    let mut found: Vec<(Asset, Option<PathBuf>)> = Vec::new();
    for asset in assets {
        let named = left.iter().position(|path| path.file_name().is_some_and(|name| *name == *asset.name));
        let path = named.or((!left.is_empty()).then_some(0)).map(|index| left.remove(index));
        if path.is_some() || asset.role == AssetRole::Base {
            found.push((asset, path));
        }
    }
    found
}

/// Runs the two steps.
pub async fn run(job: &mut Job<'_>, plan: Plan) -> Result<Engine, InstallError> {
    let version = plan.version.clone();
    let record = plan.record(job);
    job.reporter.started(Step::FetchEngine, say!(job.text, "install-fetching", version = version.clone()));
    if let Some(program) = plan.in_place {
        job.reporter.skipped(say!(job.text, "install-fetch-skipped", version = version.clone()));
        job.reporter.started(Step::UnpackEngine, say!(job.text, "install-unpacking"));
        job.reporter.skipped(say!(job.text, "install-unpack-skipped"));
        return Ok(Engine { version, program, record });
    }
    let staging = unpack::beside(&plan.folder, "unpacking");
    let change = Change::UnpackEngine {
        version: version.clone(),
        path: plan.folder.clone(),
        staging: staging.clone(),
    };
    job.journal.intend(change.clone())?;
    // What an interrupted run left there.
    files::remove_folder(&staging)?;
    let filled = match fill(job, &plan, &staging).await {
        Ok(files) => seal(job, &plan, &staging, files).await,
        Err(error) => Err(error),
    };
    if filled.is_err() {
        files::remove_folder(&staging)?;
    }
    filled?;
    aside::make_room(job, &plan.folder).await?;
    unpack::publish(&staging, &plan.folder)?;
    job.journal.done(change)?;
    let program =
        find_program(&plan.folder).ok_or_else(|| InstallError::NoProgram { folder: plan.folder.clone() })?;
    for archive in plan.downloads(job) {
        files::remove_file(&archive)?;
    }
    job.reporter.done(say!(job.text, "install-unpacked", path = plan.folder.display().to_string()));
    Ok(Engine { version, program, record })
}

/// Notes in the staging folder what it holds, once the disk has it; an error when that is no engine.
async fn seal(
    job: &Job<'_>,
    plan: &Plan,
    staging: &Path,
    files: Vec<UnpackedFile>,
) -> Result<(), InstallError> {
    if find_program(staging).is_none() {
        return Err(InstallError::NoProgram { folder: staging.to_owned() });
    }
    job.reporter.running(say!(job.text, "install-unpack-sealing"));
    let mark = Mark::new(&plan.version, plan.archives(), staging, files)?;
    let (staging, control) = (staging.to_owned(), job.control.clone());
    blocking(move || mark.seal(&staging, &control)).await
}

/// Fills the staging folder and says with which files. Ends inside the second step.
async fn fill(job: &mut Job<'_>, plan: &Plan, staging: &Path) -> Result<Vec<UnpackedFile>, InstallError> {
    match &plan.contents {
        Contents::Installed { engine, .. } => {
            let path = engine.program.display().to_string();
            job.reporter.skipped(say!(job.text, "install-fetch-installed", path = path));
            job.reporter.started(Step::UnpackEngine, say!(job.text, "install-copying"));
            let total = engine.bytes;
            let tell = |done| {
                job.reporter.bytes(done, Some(total), || say!(job.text, "install-copying"));
            };
            let copied = copy_engine(engine, staging, job.control, &tell);
            job.control.check()?;
            Ok(copied?.into_iter().map(|path| UnpackedFile { path, crc32: None }).collect())
        }
        Contents::Release { assets, .. } if assets.iter().all(|(_, path)| path.is_some()) => {
            job.reporter.skipped(say!(job.text, "install-fetch-archive"));
            job.reporter.started(Step::UnpackEngine, say!(job.text, "install-unpacking"));
            let archives: Vec<(PathBuf, &Asset)> =
                assets.iter().filter_map(|(asset, path)| Some((path.clone()?, asset))).collect();
            unpack_local(job, &archives, staging)
        }
        Contents::Release { release, assets } => {
            let assets: Vec<&Asset> = assets.iter().map(|(asset, _)| asset).collect();
            fetch_and_unpack(job, release, &assets, staging).await
        }
    }
}

/// An archive holds what it is said to hold, and never less than it takes itself.
fn limits(asset: &Asset) -> Limits {
    let expected_bytes = asset.unpacked_bytes.or(asset.bytes).unwrap_or(0);
    Limits { expected_bytes, ..Limits::default() }
}

/// Archives that the person named: checked while they are unpacked.
fn unpack_local(
    job: &Job<'_>,
    archives: &[(PathBuf, &Asset)],
    staging: &Path,
) -> Result<Vec<UnpackedFile>, InstallError> {
    let all: u64 = archives.iter().map(|(path, _)| files::length(path)).sum();
    let (mut before, mut unpacked) = (0, Vec::new());
    for (path, asset) in archives {
        let tell = |progress: unpack::UnpackProgress| {
            let message = || say!(job.text, "install-unpacking");
            job.reporter.bytes(before + progress.bytes_done, Some(all), message);
        };
        let (sha256, limits) = (asset.sha256, limits(asset));
        unpacked.extend(unpack::unpack_verified(path, sha256, staging, limits, &tell, job.control)?.files);
        before += files::length(path);
    }
    Ok(unpacked)
}

/// Downloads the archives; the first one, which is nearly all of it, is unpacked while it comes.
async fn fetch_and_unpack(
    job: &mut Job<'_>,
    release: &Release,
    assets: &[&Asset],
    staging: &Path,
) -> Result<Vec<UnpackedFile>, InstallError> {
    let Some((base, extras)) = assets.split_first() else { return Ok(Vec::new()) };
    let dest = job.paths.downloads().join(&base.name);
    let tail = Tail::new();
    let following =
        unpack::follow(tail.clone(), dest.clone(), staging.to_owned(), limits(base), job.control.clone());
    let following = following.map_err(creating(staging))?;
    let fetched = fetch_all(job, release, base, extras, &tail).await;
    if fetched.is_err() {
        // The folder is removed by whoever made it, but not while somebody still writes there.
        tail.abandon();
        let _abandoned = following.outcome.await;
        return fetched.map(|_| Vec::new());
    }
    job.reporter.done(say!(job.text, "install-fetched"));
    job.reporter.started(Step::UnpackEngine, say!(job.text, "install-unpacking"));
    let mut unpacked = unpacked_while_fetching(job, following, files::length(&dest)).await?;
    let archives: Vec<(PathBuf, &Asset)> =
        extras.iter().map(|asset| (job.paths.downloads().join(&asset.name), *asset)).collect();
    unpacked.extend(unpack_local(job, &archives, staging)?);
    Ok(unpacked)
}

async fn fetch_all(
    job: &mut Job<'_>,
    release: &Release,
    base: &Asset,
    extras: &[&Asset],
    tail: &Tail,
) -> Result<(), InstallError> {
    fetch(job, release, base, Some(tail.clone())).await?;
    for asset in extras {
        fetch(job, release, asset, None).await?;
    }
    Ok(())
}

async fn fetch(
    job: &mut Job<'_>,
    release: &Release,
    asset: &Asset,
    tail: Option<Tail>,
) -> Result<(), InstallError> {
    let source = &job.request.options.source;
    let dest = job.paths.downloads().join(&asset.name);
    job.journal.intend(Change::Download { path: dest.clone() })?;
    let urls = release.urls(asset, &source.mirrors)?;
    let mut request = DownloadRequest::new(urls, dest.clone(), asset.bytes, asset.sha256);
    if !source.mirrors.is_empty() {
        // Plain http goes to the addresses the person named, and the hash decides all the same.
        request.policy = request.urls.iter().fold(request.policy, |policy, url| policy.naming(url));
    }
    request.max_bytes_per_s = source.max_bytes_per_s;
    request.tail = tail;
    let (reporter, text) = (job.reporter, job.text);
    let tell = |progress: Progress| match &progress.waiting_for {
        Some(waiting) => reporter.waiting_seldom(waiting.explain(text)),
        None => {
            reporter.bytes_at_rate(progress.bytes_done, progress.bytes_total, progress.bytes_per_s, || {
                say!(text, "install-fetching-file", name = asset.name.clone())
            })
        }
    };
    fetch::download(&http::client(&source.http)?, &request, &tell, job.control).await?;
    Ok(job.journal.done(Change::Download { path: dest })?)
}

/// What is left to unpack once everything has come.
async fn unpacked_while_fetching(
    job: &Job<'_>,
    mut following: Following,
    bytes: u64,
) -> Result<Vec<UnpackedFile>, InstallError> {
    const TICK: Duration = Duration::from_millis(100);
    let told = AtomicU64::new(0);
    loop {
        let done = following.bytes_done().min(bytes);
        if told.swap(done, Ordering::Relaxed) != done {
            job.reporter.bytes(done, Some(bytes), || say!(job.text, "install-unpacking"));
        }
        if let Ok(outcome) = tokio::time::timeout(TICK, &mut following.outcome).await {
            let lost = || UnpackError::Damaged {
                path: job.paths.downloads(),
                problem: "the unpacking thread ended early".to_owned(),
            };
            return Ok(outcome.unwrap_or_else(|_| Err(lost()))?.files);
        }
    }
}

impl Plan {
    /// Whether exactly this is in its place already, and whole.
    pub fn is_in_place(&self) -> bool {
        self.in_place.is_some()
    }

    /// What has to be downloaded: file name and bytes, where known.
    pub fn to_download(&self) -> Vec<(&str, Option<u64>)> {
        match &self.contents {
            Contents::Installed { .. } => Vec::new(),
            Contents::Release { assets, .. } => assets
                .iter()
                .filter(|(_, path)| path.is_none())
                .map(|(asset, _)| (asset.name.as_str(), asset.bytes))
                .collect(),
        }
    }

    /// What it takes in its place, as far as that is known.
    pub fn unpacked_bytes(&self) -> u64 {
        match &self.contents {
            Contents::Installed { engine, .. } => engine.bytes,
            Contents::Release { assets, .. } => {
                assets.iter().filter_map(|(asset, _)| asset.unpacked_estimate_bytes()).sum()
            }
        }
    }

    /// Where archives that were downloaded lie.
    fn downloads(&self, job: &Job<'_>) -> Vec<PathBuf> {
        self.to_download().into_iter().map(|(name, _)| job.paths.downloads().join(name)).collect()
    }

    /// The program of an engine that is in its place, when it is this one and every file is what was unpacked.
    fn look(&self, job: &Job<'_>) -> Result<Option<PathBuf>, Cancelled> {
        let Some(mark) = Mark::of(&self.folder).filter(|mark| mark.archives == self.archives()) else {
            return Ok(None);
        };
        job.reporter.running(say!(job.text, "install-engine-checking"));
        if let Some(path) = mark.damaged(&self.folder, Look::Thorough, job.control)? {
            let path = path.display().to_string();
            tracing::warn!(path, "a file of the engine is damaged or missing; it is unpacked again");
            job.reporter.running(say!(job.text, "install-engine-mending", path = path));
            return Ok(None);
        }
        Ok(find_program(&self.folder))
    }

    fn archives(&self) -> Vec<ArchiveRecord> {
        match &self.contents {
            Contents::Installed { engine, sha256 } => {
                vec![ArchiveRecord { name: engine.program.display().to_string(), sha256: *sha256 }]
            }
            Contents::Release { assets, .. } => assets
                .iter()
                .map(|(asset, _)| ArchiveRecord { name: asset.name.clone(), sha256: asset.sha256 })
                .collect(),
        }
    }

    fn record(&self, job: &Job<'_>) -> EngineRecord {
        let choice = &job.request.options.source.choice;
        EngineRecord { origin: choice.origin(), note: choice.note(job.text), archives: self.archives() }
    }
}
