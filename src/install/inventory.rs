//! What an installation would find: free space of the drives, the engine, its archives, the models. Read-only; the result
//! goes into the plan ([`crate::plan::Plan::with_inventory`]).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::hardware::disks;
use crate::install::engine_manifest::EngineManifest;
use crate::install::unpack::copied_bytes;
use crate::install::{EngineChoice, InstallOptions, Paths, SavedRequest, reuse};
use crate::machine::DiskUse;
use crate::models::{Model, ModelTag};
use crate::ollama::release::{Asset, AssetRole, Release};
use crate::ollama::store::Store;
use crate::plan::{ArchiveFile, EngineFiles, Inventory};
use crate::platform::files;

/// Inspects the folders of an installation. `models` are those that may be planned. Queries the file system only, which
/// takes some milliseconds; call it on a worker thread.
pub fn take_inventory(options: &InstallOptions, models: &[Arc<Model>]) -> Inventory {
    let paths = Paths::new(&options.home);
    let folders = [(paths.home().to_owned(), DiskUse::Engine), (options.models_dir.clone(), DiskUse::Models)];
    Inventory {
        drives: disks::of_folders(&folders),
        engine: engine_files(&paths, options),
        model_bytes_here: model_bytes_here(&paths, &options.models_dir, models),
    }
}

/// A release that cannot be read has no known size; the installation's first step reports why.
fn engine_files(paths: &Paths, options: &InstallOptions) -> EngineFiles {
    let source = &options.source;
    if let EngineChoice::Installed(engine) = &source.choice {
        let program = engine.program.display().to_string();
        let manifest = EngineManifest::load(&paths.engine(&engine.version));
        return EngineFiles {
            version: Some(engine.version.clone()),
            archives: vec![ArchiveFile {
                role: AssetRole::Base,
                download_bytes: Some(0),
                here_bytes: 0,
                unpacked_bytes: Some(engine.bytes),
                copy_bytes: 0,
            }],
            in_place: manifest
                .is_some_and(|manifest| manifest.archives.iter().any(|archive| archive.name == program)),
        };
    }
    let Ok(Some(release)) = source.choice.release() else { return EngineFiles::default() };
    let mut files = EngineFiles::of_release(&release);
    if source.archives.is_empty() {
        for archive in &mut files.archives {
            archive.here_bytes = downloaded_bytes(paths, &release, archive.role);
        }
    } else {
        let names: Vec<&str> = files
            .archives
            .iter()
            .filter_map(|archive| Some(asset(&release, archive.role)?.name.as_str()))
            .collect();
        for (archive, path) in files.archives.iter_mut().zip(source.archives_named(&names)) {
            archive.download_bytes = Some(0);
            archive.copy_bytes = path.map_or(0, |path| copied_bytes(&path));
        }
    }
    files.in_place = is_in_place(paths, &release);
    files
}

fn downloaded_bytes(paths: &Paths, release: &Release, role: AssetRole) -> u64 {
    asset(release, role).map_or(0, |asset| files::length(&paths.downloads().join(&asset.name)))
}

/// The archive of this role for this system.
fn asset(release: &Release, role: AssetRole) -> Option<&Asset> {
    release.asset(role, std::env::consts::OS, std::env::consts::ARCH).ok()
}

/// Whether exactly this release was unpacked there. The installation verifies its files.
fn is_in_place(paths: &Paths, release: &Release) -> bool {
    let manifest = EngineManifest::load(&paths.engine(&release.version));
    asset(release, AssetRole::Base)
        .zip(manifest)
        .is_some_and(|(base, manifest)| manifest.archives.iter().any(|archive| archive.sha256 == base.sha256))
}

fn model_bytes_here(paths: &Paths, models_dir: &Path, models: &[Arc<Model>]) -> BTreeMap<ModelTag, u64> {
    let (store, others) = (Store::new(models_dir), reuse::stores());
    // Unfinished layers have no names; they belong to the model that was pulled last.
    let unfinished = SavedRequest::load(paths).ok().flatten().map(|request| request.model);
    let here = |tag: &ModelTag, model: &Model| {
        if store.has(tag) {
            return model.download_bytes;
        }
        if let Some(local) = &model.local {
            let can_clone = local.parts.len() == 1 && reuse::can_clone(local.path(), models_dir);
            let partial = if unfinished.as_ref() == Some(tag) { store.partial_bytes() } else { 0 };
            return if can_clone { model.download_bytes } else { partial };
        }
        let reusable = reuse::reusable(tag, models_dir, &others);
        if reusable.complete {
            return model.download_bytes;
        }
        let partial = if unfinished.as_ref() == Some(tag) { store.partial_bytes() } else { 0 };
        reusable.bytes.saturating_add(partial)
    };
    let tagged = models.iter().filter_map(|model| Some((model.tag()?, model)));
    let bytes = tagged.map(|(tag, model)| (tag.clone(), here(tag, model)));
    bytes.filter(|(_, bytes)| *bytes > 0).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::install::EngineSource;

    /// Of a tar there is no copy, and the file decides, not its name.
    #[test]
    fn the_copy_of_a_zip_on_this_computer_is_as_large_as_the_zip() {
        let folder = tempfile::tempdir().unwrap();
        let archives = [
            ("engine.tar.zst", &b"PK\x03\x04 a zip with another name"[..], 28),
            ("engine.zip", b"\x28\xb5\x2f\xfd a tar with another name", 0),
            ("missing.zip", b"", 0),
        ];
        for (name, content, copy_bytes) in archives {
            let archive = folder.path().join(name);
            if !content.is_empty() {
                std::fs::write(&archive, content).unwrap();
            }
            let options = InstallOptions {
                home: folder.path().join("home"),
                models_dir: folder.path().join("home/models"),
                port: None,
                autostart: false,
                watch: false,
                source: EngineSource { archives: vec![archive], ..EngineSource::default() },
                insecure_registry: false,
                tune: false,
                refresh_model: false,
                daily_updates: None,
            };
            let engine = take_inventory(&options, &[]).engine;
            let base = engine.archives[0];
            assert_eq!((base.download_bytes, base.copy_bytes), (Some(0), copy_bytes), "{name}");
        }
    }
}
