//! Unpacks an archive while it is downloaded, on its own thread, up to the last hashed byte.
//!
//! No unpacked file is used, run or moved before the archive's checksum matched. When the download restarts, the folder
//! is emptied and unpacking restarts too. A zip is read from its end, so it waits for the whole file.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;

use super::extractor::Extractor;
use super::{
    Format, UnpackError, UnpackLimits, UnpackProgress, Unpacked, read_ahead, remove_tree, tarball, zipfile,
};
use crate::control::{Cancelled, Control};
use crate::install::fetch::{AttemptEnd, DownloadAttempt, GrowingFile};

/// An archive that is unpacked while it is downloaded.
#[derive(Debug)]
pub struct Following {
    /// Resolves once the archive is unpacked and verified, or to the error.
    pub outcome: oneshot::Receiver<Result<Unpacked, UnpackError>>,
    read: Arc<AtomicU64>,
}

impl Following {
    /// Bytes of the archive that are unpacked.
    pub fn bytes_done(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

/// Starts to unpack a download. The folder is emptied first. Errors name `archive`.
///
/// # Errors
/// When the thread cannot be started.
pub fn follow(
    growing_file: GrowingFile,
    archive: PathBuf,
    staging: PathBuf,
    limits: UnpackLimits,
    control: Control,
) -> io::Result<Following> {
    let (report, outcome) = oneshot::channel();
    let read = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&read);
    std::thread::Builder::new().name("unpacker".to_owned()).spawn(move || {
        let follower = Follower { growing_file, archive, staging, limits, control, read: counter };
        // The receiver is gone after a failed download.
        let _ = report.send(follower.run());
    })?;
    Ok(Following { outcome, read })
}

struct Follower {
    growing_file: GrowingFile,
    archive: PathBuf,
    staging: PathBuf,
    limits: UnpackLimits,
    control: Control,
    read: Arc<AtomicU64>,
}

impl Follower {
    fn run(self) -> Result<Unpacked, UnpackError> {
        let mut attempt = None;
        loop {
            let Some(next) = self.growing_file.next_attempt(attempt) else { return Err(Cancelled.into()) };
            attempt = Some(next);
            remove_tree(&self.staging)?;
            let outcome = self.unpack(next);
            // Report neither result nor error yet: the checksum decides first.
            match self.growing_file.end_of(next) {
                AttemptEnd::Verified => return outcome,
                AttemptEnd::Abandoned => return Err(Cancelled.into()),
                AttemptEnd::Restarted => {}
            }
        }
    }

    fn unpack(&self, attempt: DownloadAttempt) -> Result<Unpacked, UnpackError> {
        let archive: &Path = &self.archive;
        let read_error = |source| UnpackError::Read { path: archive.to_owned(), source };
        let mut reader = self.growing_file.open(attempt).map_err(read_error)?;
        let mut magic = [0; 4];
        let known = read_ahead::fill(&mut reader, &mut magic).map_err(read_error)?;
        let format = Format::of(&magic[..known])
            .ok_or_else(|| UnpackError::UnknownFormat { path: archive.to_owned() })?;
        let note = |progress: UnpackProgress| self.read.store(progress.bytes_done, Ordering::Relaxed);
        let unknown_length = u64::MAX;
        let mut extractor =
            Extractor::new(archive, &self.staging, self.limits, unknown_length, &note, &self.control)?;
        match format {
            Format::TarZst | Format::TarGz => {
                let whole = io::Cursor::new(magic).take(known as u64).chain(reader);
                tarball::unpack(whole, format, &mut extractor)?;
            }
            Format::Zip => {
                let file = reader.into_verified_file().map_err(read_error)?;
                zipfile::unpack(file, &mut extractor)?;
            }
        }
        extractor.finish()
    }
}

#[cfg(test)]
mod tests;
