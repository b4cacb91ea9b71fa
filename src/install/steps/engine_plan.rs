//! Which engine is needed, and whether it is in place already.

use std::path::PathBuf;

use crate::checksum::Sha256;
use crate::control::Cancelled;
use crate::install::engine_manifest::{Depth, EngineManifest};
use crate::install::event::Activity;
use crate::install::reuse::InstalledEngine;
use crate::install::run_context::Run;
use crate::install::{ArchiveRecord, EngineChoice, EngineRecord, EngineSource, InstallError};
use crate::ollama::release::{Asset, AssetRole, Release, ReleaseError, find_program};

/// The engine to put in place.
pub struct EnginePlan {
    pub version: String,
    pub contents: Contents,
    /// Its final folder.
    pub folder: PathBuf,
    /// Its program, if exactly this engine is in place already and intact.
    pub in_place: Option<PathBuf>,
}

/// What the engine is made from.
pub enum Contents {
    /// Archives of a release, the base first, each with its path if it is on this computer.
    Release { release: Box<Release>, assets: Vec<(Asset, Option<PathBuf>)> },
    /// An engine installed elsewhere, with the SHA-256 of its program.
    Installed { engine: InstalledEngine, sha256: Sha256 },
}

/// Decides which engine a request needs, and whether it is in place. Verifies every file of an engine in place, to
/// detect damage by a power cut.
///
/// # Errors
/// When the release list cannot be read or has no archive for this system, or the user cancels.
pub fn plan(run: &Run<'_>) -> Result<EnginePlan, InstallError> {
    let source = &run.request.options.source;
    let (version, contents) = match (source.choice.release()?, &source.choice) {
        (Some(release), _) => {
            let assets = with_archives(assets_of(&release, run.request.plan.needs_rocm())?, source);
            (release.version.clone(), Contents::Release { release: Box::new(release), assets })
        }
        (None, EngineChoice::Installed(engine)) => {
            let sha256 = engine.program_sha256()?;
            (engine.version.clone(), Contents::Installed { engine: engine.clone(), sha256 })
        }
        (None, _) => return Err(ReleaseError::NoAddress.into()),
    };
    let folder = run.paths.engine(&version);
    let mut plan = EnginePlan { version, contents, folder, in_place: None };
    plan.in_place = plan.find_in_place(run)?;
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

/// Matches archives that the user named with those of the release: by name, else in order, because people rename files.
/// An optional archive that was not named is skipped, because there may be no network.
fn with_archives(assets: Vec<Asset>, source: &EngineSource) -> Vec<(Asset, Option<PathBuf>)> {
    if source.archives.is_empty() {
        return assets.into_iter().map(|asset| (asset, None)).collect();
    }
    let names: Vec<&str> = assets.iter().map(|asset| asset.name.as_str()).collect();
    let archives = source.archives_named(&names);
    let found = assets.into_iter().zip(archives);
    found.filter(|(asset, path)| path.is_some() || asset.role == AssetRole::Base).collect()
}

impl EnginePlan {
    /// Paths of its downloaded archives.
    pub fn downloads(&self, run: &Run<'_>) -> Vec<PathBuf> {
        match &self.contents {
            Contents::Installed { .. } => Vec::new(),
            Contents::Release { assets, .. } => assets
                .iter()
                .filter(|(_, path)| path.is_none())
                .map(|(asset, _)| run.paths.downloads().join(&asset.name))
                .collect(),
        }
    }

    /// The program of the engine in place, when it is this one and every file is as unpacked.
    fn find_in_place(&self, run: &Run<'_>) -> Result<Option<PathBuf>, Cancelled> {
        let manifest = EngineManifest::load(&self.folder);
        let Some(manifest) = manifest.filter(|manifest| manifest.archives == self.archives()) else {
            return Ok(None);
        };
        run.reporter.running(Activity::VerifyingEngine);
        if let Some(path) = manifest.first_damaged(&self.folder, Depth::Thorough, run.control)? {
            tracing::warn!(path = %path.display(), "a file of the engine is damaged or missing; it is unpacked again");
            run.reporter.running(Activity::RepairingEngine { path });
            return Ok(None);
        }
        Ok(find_program(&self.folder))
    }

    /// What the engine is made from.
    pub fn archives(&self) -> Vec<ArchiveRecord> {
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

    /// Where the engine comes from, for the receipt.
    pub fn record(&self, run: &Run<'_>) -> EngineRecord {
        EngineRecord { origin: run.request.options.source.choice.origin(), archives: self.archives() }
    }
}
