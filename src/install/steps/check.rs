//! Before anything is changed: folders that can be written, room on every disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::install::run::Job;
use crate::install::steps::engine::Plan;
use crate::install::{InstallError, reuse};
use crate::ollama::store::Store;
use crate::platform::files;
use crate::say;

/// Kept free beside what we need: logs, documents, the system's own breathing.
const RESERVE_BYTES: u64 = 512 << 20;

/// Runs the step.
pub fn run(job: &mut Job<'_>, plan: &Plan) -> Result<(), InstallError> {
    for folder in [job.paths.logs(), job.paths.downloads(), job.paths.engines(), job.paths.engine_home()] {
        job.journal.create_folder(&folder)?;
    }
    job.journal.create_folder(&job.request.options.models_dir)?;
    let needs = needs(job, plan);
    room(&needs)?;
    let bytes = needs.iter().map(|need| need.1).sum();
    job.reporter.done(match bytes {
        0 => say!(job.text, "install-checked-nothing"),
        _ => say!(job.text, "install-checked", size = job.text.file_size(bytes)),
    });
    Ok(())
}

/// Which folder needs how many bytes.
fn needs(job: &Job<'_>, plan: &Plan) -> Vec<(PathBuf, u64)> {
    let mut needs = Vec::new();
    if !plan.is_in_place() {
        for (name, bytes) in plan.to_download() {
            let there = files::length(&job.paths.downloads().join(name));
            needs.push((job.paths.downloads(), bytes.unwrap_or(0).saturating_sub(there)));
        }
        needs.push((job.paths.engines(), plan.unpacked_bytes()));
    }
    let models = &job.request.options.models_dir;
    let model = &job.request.plan.candidate.model;
    let store = Store::new(models);
    if !store.has(&model.tag) {
        let reusable = reuse::reusable(&model.tag, models, &reuse::stores());
        if !reusable.complete {
            // Parts that were fetched before are already taken from the free space.
            let there = store.partial_bytes().saturating_add(reusable.bytes);
            needs.push((models.clone(), model.download_bytes.saturating_sub(there)));
        }
    }
    needs
}

/// Sums the needs of each disk and compares them with what is free there.
fn room(needs: &[(PathBuf, u64)]) -> Result<(), InstallError> {
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
        room(&[(a.clone(), 1), (b.clone(), 1)]).unwrap();
        let error = room(&[(a.clone(), free / 2), (b, free / 2)]).unwrap_err();
        assert!(matches!(error, InstallError::DiskShort { need_bytes, .. } if need_bytes > free));
        room(&[(a, 0)]).unwrap();
    }
}
