//! The engine: fetched, verified, unpacked beside its place, moved there in one rename.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::hardware::Backend;
use crate::install::documents::{read_json, to_json};
use crate::install::download::{self, DownloadRequest, Progress};
use crate::install::journal::Change;
use crate::install::run::Job;
use crate::install::steps::server;
use crate::install::unpack::{self, Limits};
use crate::install::{InstallError, Step, files};
use crate::ollama::http::{self, HttpOptions};
use crate::ollama::release::{Asset, AssetRole, Release, find_program};
use crate::say;

/// The file in an unpacked engine's folder that says what it was unpacked from. Its presence means that all of it is
/// there, because it is moved to its place together with the rest.
pub const MARK: &str = "acolyte-engine.json";

/// An engine in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Its version, as the release says.
    pub version: String,
    /// Its program.
    pub program: PathBuf,
}

/// What is to be fetched, and where it goes.
pub struct Plan {
    release: Release,
    /// The archives, the base first.
    pub assets: Vec<Asset>,
    folder: PathBuf,
}

/// What an unpacked engine was unpacked from, and what came out.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    schema: u32,
    version: String,
    archives: Vec<MarkedArchive>,
    /// Files and links, relative to the folder.
    pub files: Vec<PathBuf>,
}

/// An archive by its hash.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkedArchive {
    name: String,
    sha256: String,
}

/// What this request needs of which release.
pub fn plan(job: &Job<'_>) -> Result<Plan, InstallError> {
    let options = &job.request.options;
    let release = match &options.release_file {
        Some(path) => Release::from_file(path)?,
        None => Release::built_in()?,
    };
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let mut assets = vec![release.asset(AssetRole::Base, os, arch)?.clone()];
    let on_rocm = job.gpu_layers > 0
        && job.request.machine.gpus.first().is_some_and(|gpu| gpu.backend == Backend::Rocm);
    if on_rocm {
        // Not every release lists it; without it the engine uses Vulkan.
        assets.extend(release.asset(AssetRole::Rocm, os, arch).ok().cloned());
    }
    let folder = job.paths.engine(&release.version);
    Ok(Plan { release, assets, folder })
}

/// Runs the two steps.
pub async fn run(job: &mut Job<'_>) -> Result<Engine, InstallError> {
    let plan = plan(job)?;
    let version = plan.release.version.clone();
    job.reporter.started(Step::FetchEngine, say!(job.text, "install-fetching", version = version.clone()));
    if let Some(program) = plan.unpacked_program() {
        job.reporter.skipped(say!(job.text, "install-fetch-skipped", version = version.clone()));
        job.reporter.started(Step::UnpackEngine, say!(job.text, "install-unpacking"));
        job.reporter.skipped(say!(job.text, "install-unpack-skipped"));
        return Ok(Engine { version, program });
    }
    let mut archives = Vec::new();
    for asset in &plan.assets {
        archives.push(fetch(job, &plan, asset).await?);
    }
    job.reporter.done(say!(job.text, "install-fetched"));

    job.reporter.started(Step::UnpackEngine, say!(job.text, "install-unpacking"));
    let program = unpack_all(job, &plan, &archives).await?;
    for archive in &archives {
        files::remove_file(archive)?;
    }
    job.reporter.done(say!(job.text, "install-unpacked", path = plan.folder.display().to_string()));
    Ok(Engine { version, program })
}

async fn fetch(job: &mut Job<'_>, plan: &Plan, asset: &Asset) -> Result<PathBuf, InstallError> {
    let mirror = job.request.options.mirror.as_deref();
    let dest = job.paths.downloads().join(&asset.name);
    job.journal.intend(Change::Download { path: dest.clone() })?;
    let url = plan.release.url(asset, mirror)?;
    let mut request =
        DownloadRequest::new(vec![url.clone()], dest.clone(), asset.bytes, asset.sha256_bytes());
    if mirror.is_some() {
        // Plain http goes to the address the person named, and the hash decides all the same.
        request.policy = request.policy.naming(&url);
    }
    let (reporter, text) = (job.reporter, job.text);
    let tell = |progress: Progress| match &progress.waiting_for {
        Some(waiting) => reporter.waiting_seldom(waiting.explain(text)),
        None => {
            reporter.bytes_at_rate(progress.bytes_done, progress.bytes_total, progress.bytes_per_s, || {
                say!(text, "install-fetching-file", name = asset.name.clone())
            })
        }
    };
    download::download(&http::client(&HttpOptions::default())?, &request, &tell, job.control).await?;
    job.journal.done(Change::Download { path: dest.clone() })?;
    Ok(dest)
}

async fn unpack_all(job: &mut Job<'_>, plan: &Plan, archives: &[PathBuf]) -> Result<PathBuf, InstallError> {
    let staging = unpack::beside(&plan.folder, "unpacking");
    let change = Change::UnpackEngine {
        version: plan.release.version.clone(),
        path: plan.folder.clone(),
        staging: staging.clone(),
    };
    job.journal.intend(change.clone())?;
    // What an interrupted run left there.
    files::remove_folder(&staging)?;
    let unpacked = fill(job, plan, archives, &staging);
    if unpacked.is_err() {
        files::remove_folder(&staging)?;
    }
    unpacked?;
    if plan.folder.exists() {
        // Another build of the same version: what runs from there must not while it is replaced.
        server::stop(&job.paths).await?;
    }
    unpack::publish(&staging, &plan.folder)?;
    job.journal.done(change)?;
    plan.unpacked_program().ok_or_else(|| InstallError::NoProgram { folder: plan.folder.clone() })
}

fn fill(job: &Job<'_>, plan: &Plan, archives: &[PathBuf], staging: &Path) -> Result<(), InstallError> {
    let all: u64 = archives.iter().map(|archive| files::length(archive)).sum();
    let mut before = 0;
    let mut files = Vec::new();
    for archive in archives {
        let tell = |progress: unpack::UnpackProgress| {
            let message = || say!(job.text, "install-unpacking");
            job.reporter.bytes(before + progress.bytes_done, Some(all), message);
        };
        files.extend(unpack::unpack(archive, staging, Limits::default(), &tell, job.control)?.files);
        before += files::length(archive);
    }
    if find_program(staging).is_none() {
        return Err(InstallError::NoProgram { folder: staging.to_owned() });
    }
    let path = staging.join(MARK);
    let mark = Mark {
        schema: crate::SCHEMA,
        version: plan.release.version.clone(),
        archives: plan.archives(),
        files,
    };
    Ok(files::write_whole(&path, &to_json(&path, &mark)?)?)
}

impl Mark {
    /// That of an engine's folder. One that cannot be read is none: the engine is then unpacked again.
    pub fn of(folder: &Path) -> Option<Self> {
        read_json(&folder.join(MARK)).ok().flatten()
    }
}

impl Plan {
    /// Whether exactly this is in its place already.
    pub fn is_unpacked(&self) -> bool {
        self.unpacked_program().is_some()
    }

    fn unpacked_program(&self) -> Option<PathBuf> {
        let mark = Mark::of(&self.folder)?;
        if mark.archives == self.archives() { find_program(&self.folder) } else { None }
    }

    fn archives(&self) -> Vec<MarkedArchive> {
        let archive =
            |asset: &Asset| MarkedArchive { name: asset.name.clone(), sha256: asset.sha256.clone() };
        self.assets.iter().map(archive).collect()
    }
}
