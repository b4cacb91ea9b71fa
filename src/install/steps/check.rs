//! Before anything is fetched: writable folders, and enough free space on every disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::install::event::Activity;
use crate::install::run_context::Run;
use crate::install::steps::engine_plan::EnginePlan;
use crate::install::{InstallError, reuse};
use crate::ollama::store::Store;
use crate::platform::files;

/// Kept free beside what we need: logs, documents, the system's own needs.
const RESERVE_BYTES: u64 = 512 << 20;

/// Runs the step.
pub fn run(run: &Run<'_>, engine: &EnginePlan) -> Result<(), InstallError> {
    for folder in [run.paths.logs(), run.paths.downloads(), run.paths.engines(), run.paths.engine_home()] {
        run.create_folder(&folder)?;
    }
    run.create_folder(run.models_dir())?;
    let needs = needs(run, engine);
    check_disks(&needs)?;
    let bytes = needs.iter().map(|need| need.1).sum();
    run.reporter.done(Activity::Checked { bytes });
    Ok(())
}

/// Which folder needs how many bytes.
fn needs(run: &Run<'_>, engine: &EnginePlan) -> Vec<(PathBuf, u64)> {
    let mut needs = Vec::new();
    if !engine.is_in_place() {
        for (name, bytes) in engine.to_download() {
            let there = files::length(&run.paths.downloads().join(name));
            needs.push((run.paths.downloads(), bytes.unwrap_or(0).saturating_sub(there)));
        }
        needs.push((run.paths.engines(), engine.unpacked_bytes()));
    }
    let models = run.models_dir();
    let model = run.model();
    let store = Store::new(models);
    if !store.has(&model.tag) {
        let reusable = reuse::reusable(&model.tag, models, &reuse::stores());
        if !reusable.complete {
            // Parts that are here already are part of the used space.
            let there = store.partial_bytes().saturating_add(reusable.bytes);
            needs.push((models.to_owned(), model.download_bytes.saturating_sub(there)));
        }
    }
    needs
}

/// Sums the needs of each disk and compares them with what is free there.
fn check_disks(needs: &[(PathBuf, u64)]) -> Result<(), InstallError> {
    let mut disks: BTreeMap<String, (&Path, u64)> = BTreeMap::new();
    for (folder, bytes) in needs {
        disks.entry(files::disk_of(folder)?).or_insert((folder, 0)).1 += bytes;
    }
    for (folder, bytes) in disks.into_values().filter(|(_, bytes)| *bytes > 0) {
        let (need_bytes, free_bytes) = (bytes.saturating_add(RESERVE_BYTES), files::free_bytes(folder)?);
        if free_bytes < need_bytes {
            return Err(InstallError::DiskShort { path: folder.to_owned(), need_bytes, free_bytes });
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_needs_of_one_disk_are_added_up() {
        let folder = tempfile::tempdir().unwrap();
        let free = files::free_bytes(folder.path()).unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        check_disks(&[(a.clone(), 1), (b.clone(), 1)]).unwrap();
        let error = check_disks(&[(a.clone(), free / 2), (b, free / 2)]).unwrap_err();
        assert!(matches!(error, InstallError::DiskShort { need_bytes, .. } if need_bytes > free));
        check_disks(&[(a, 0)]).unwrap();
    }
}
