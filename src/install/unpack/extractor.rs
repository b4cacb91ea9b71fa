//! Writes checked entries into the folder, enforces the limits, reports progress and handles cancellation.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::names::{self, NameProblem, NameRules, Seen};
use super::types::{UnpackError, UnpackLimits, UnpackProgress, Unpacked, UnpackedFile};
use crate::control::Control;
use crate::install::disk_watch::{DiskShortage, DiskWatch};
use crate::platform::files::{self, FileCause};

const BUFFER_BYTES: usize = 256 << 10;
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// Maximum number of symbolic links while resolving one path, as on Linux; more indicate a cycle.
const LINKS_FOLLOWED: usize = 40;

/// Unpacking one archive into one folder.
pub struct Extractor<'a> {
    archive: &'a Path,
    root: PathBuf,
    limits: UnpackLimits,
    bytes_total: u64,
    progress: &'a dyn Fn(UnpackProgress),
    control: &'a Control,
    read: Arc<AtomicU64>,
    seen: Seen,
    entries: u64,
    folders: HashSet<PathBuf>,
    links: Vec<ArchiveLink>,
    unpacked: Unpacked,
    buffer: Vec<u8>,
    reported: Option<Instant>,
    disk: DiskWatch,
}

struct ArchiveLink {
    path: PathBuf,
    target: String,
}

impl<'a> Extractor<'a> {
    /// Creates the folder if missing.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn new(
        archive: &'a Path,
        staging: &Path,
        limits: UnpackLimits,
        bytes_total: u64,
        progress: &'a dyn Fn(UnpackProgress),
        control: &'a Control,
    ) -> Result<Self, UnpackError> {
        files::create_folders(staging).map_err(|error| UnpackError::write(&error.path, error.source))?;
        // The canonical form (`\\?\`) also lifts Windows' limit of 260 characters.
        let root = std::fs::canonicalize(staging).map_err(|error| UnpackError::write(staging, error))?;
        Ok(Self {
            archive,
            disk: DiskWatch::new(&root),
            root,
            limits,
            bytes_total,
            progress,
            control,
            read: Arc::new(AtomicU64::new(0)),
            seen: Seen::new(NameRules::HERE),
            entries: 0,
            folders: HashSet::new(),
            links: Vec::new(),
            unpacked: Unpacked::default(),
            buffer: vec![0; BUFFER_BYTES],
            reported: None,
        })
    }

    /// Wraps the archive's reader to count bytes for progress.
    pub fn counted<R>(&self, inner: R) -> Counted<R> {
        Counted { inner, read: Arc::clone(&self.read) }
    }

    /// The error for an archive that contradicts itself.
    pub fn damaged(&self, problem: impl ToString) -> UnpackError {
        UnpackError::Damaged { path: self.archive.to_owned(), problem: problem.to_string().into() }
    }

    /// Counts an entry, checks its name and returns its path; `None` for the folder itself.
    ///
    /// # Errors
    /// When the archive has too many entries, or the name leads outside the folder or exists already.
    pub fn accept_entry(&mut self, name: &[u8], is_folder: bool) -> Result<Option<PathBuf>, UnpackError> {
        self.control.check()?;
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(UnpackError::TooLarge { limits: self.limits });
        }
        let path = names::relative_path(name, NameRules::HERE).map_err(|problem| hostile(name, problem))?;
        if path.as_os_str().is_empty() {
            return if is_folder { Ok(None) } else { Err(hostile(name, NameProblem::Empty)) };
        }
        self.seen.note(&path, is_folder).map_err(|problem| hostile(name, problem))?;
        Ok(Some(path))
    }

    /// Creates a folder and its parents.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn folder(&mut self, path: &Path) -> Result<(), UnpackError> {
        let mut at = PathBuf::new();
        for component in path.components() {
            at.push(component);
            if self.folders.contains(&at) {
                continue;
            }
            let full = self.root.join(&at);
            match std::fs::symlink_metadata(&full) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(hostile(at.as_os_str().as_encoded_bytes(), NameProblem::ThroughLink)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    files::create_folder(&full).map_err(|error| UnpackError::write(&full, error))?;
                }
                Err(error) => return Err(UnpackError::write(&full, error)),
            }
            self.folders.insert(at.clone());
        }
        Ok(())
    }

    /// Writes a file with all of `content`, which must be as long as declared.
    ///
    /// # Errors
    /// When it cannot be written, is larger than declared or than the limits allow, or the user cancels.
    pub fn file(
        &mut self,
        path: &Path,
        executable: bool,
        declared_bytes: u64,
        content: &mut dyn Read,
    ) -> Result<(), UnpackError> {
        let end = self.unpacked.bytes.saturating_add(declared_bytes);
        if end > self.limits.bytes {
            return Err(UnpackError::TooLarge { limits: self.limits });
        }
        let short = self.disk.shortage(self.remaining_bytes(end));
        self.require_space(short)?;
        let full = self.prepare_path(path)?;
        let write_error = |error| UnpackError::write(&full, error);
        let mut file = create(&full, executable).map_err(write_error)?;
        let mut crc32 = crc32fast::Hasher::new();
        loop {
            let n = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.damaged(error)),
            };
            self.unpacked.bytes += n as u64;
            if self.unpacked.bytes > self.limits.bytes {
                return Err(UnpackError::TooLarge { limits: self.limits });
            }
            file.write_all(&self.buffer[..n]).map_err(write_error)?;
            crc32.update(&self.buffer[..n]);
            self.checkpoint()?;
            let short = self.disk.shortage_throttled(self.remaining_bytes(end));
            self.require_space(short)?;
        }
        self.unpacked.files.push(UnpackedFile { path: path.to_owned(), crc32: Some(crc32.finalize()) });
        Ok(())
    }

    /// Records a symbolic link. It is created at the end, so that nothing can be written through it.
    ///
    /// # Errors
    /// When the link leads outside the folder.
    pub fn symbolic_link(&mut self, path: &Path, target: &[u8]) -> Result<(), UnpackError> {
        let refuse = |problem| hostile(path.as_os_str().as_encoded_bytes(), problem);
        let target = std::str::from_utf8(target).map_err(|_| refuse(NameProblem::NotText))?;
        names::link_destination(path, target).map_err(refuse)?;
        self.links.push(ArchiveLink { path: path.to_owned(), target: target.to_owned() });
        Ok(())
    }

    /// Creates a hard link to an unpacked file.
    ///
    /// # Errors
    /// When the other name leads outside the folder or does not exist, or the link cannot be made.
    pub fn hard_link(&mut self, path: &Path, target: &[u8]) -> Result<(), UnpackError> {
        let original = names::relative_path(target, NameRules::HERE)
            .map_err(|_| hostile(path.as_os_str().as_encoded_bytes(), NameProblem::LinkOutside))?;
        let Some(crc32) =
            self.unpacked.files.iter().find(|file| file.path == original).map(|file| file.crc32)
        else {
            return Err(hostile(path.as_os_str().as_encoded_bytes(), NameProblem::LinkToNothing));
        };
        let full = self.prepare_path(path)?;
        std::fs::hard_link(self.root.join(original), &full)
            .map_err(|error| UnpackError::write(&full, error))?;
        self.unpacked.files.push(UnpackedFile { path: path.to_owned(), crc32 });
        Ok(())
    }

    /// Refuses an entry of any other type.
    pub fn refuse(&self, name: &[u8], problem: NameProblem) -> UnpackError {
        hostile(name, problem)
    }

    /// Waits while paused, stops when cancelled, reports a few times a second.
    ///
    /// # Errors
    /// When the user cancels.
    pub fn checkpoint(&mut self) -> Result<(), UnpackError> {
        self.control.until_resumed_blocking()?;
        if self.reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            self.reported = Some(Instant::now());
            self.report();
        }
        Ok(())
    }

    /// Creates the recorded links and checks where they resolve to.
    ///
    /// # Errors
    /// When a link cannot be made, or leads outside the folder.
    pub fn finish(mut self) -> Result<Unpacked, UnpackError> {
        let links = std::mem::take(&mut self.links);
        let mut to_copy = Vec::new();
        for link in &links {
            let full = self.prepare_path(&link.path)?;
            match make_link(&link.target, &full) {
                Ok(()) => {}
                Err(error) if FileCause::of(&error, &full).is_missing_support() => to_copy.push(link),
                Err(error) => return Err(UnpackError::write(&full, error)),
            }
            self.unpacked.files.push(UnpackedFile { path: link.path.clone(), crc32: None });
        }
        self.copy_instead(to_copy)?;
        for link in &links {
            if !self.leads_inside(&link.path) {
                // Remove it even though the folder will be discarded.
                let _ = files::remove_file(&self.root.join(&link.path));
                return Err(hostile(link.path.as_os_str().as_encoded_bytes(), NameProblem::LinkOutside));
            }
        }
        self.read.store(self.bytes_total, Ordering::Relaxed);
        self.report();
        Ok(self.unpacked)
    }

    /// Copies the files that links lead to, where the file system has no links (FAT, exFAT, some network drives) or the
    /// account may not create them (Windows). A link may lead to another one, which is then copied first.
    fn copy_instead(&self, mut links: Vec<&ArchiveLink>) -> Result<(), UnpackError> {
        while !links.is_empty() {
            let refuse =
                |link: &ArchiveLink, problem| hostile(link.path.as_os_str().as_encoded_bytes(), problem);
            let original = |link: &ArchiveLink| {
                let path = names::link_destination(&link.path, &link.target);
                path.map(|path| self.root.join(path)).map_err(|problem| refuse(link, problem))
            };
            let mut waiting = Vec::new();
            let before = links.len();
            for link in links {
                self.control.until_resumed_blocking()?;
                let (from, to) = (original(link)?, self.root.join(&link.path));
                if from.is_file() {
                    std::fs::copy(&from, &to).map_err(|error| UnpackError::write(&to, error))?;
                } else {
                    waiting.push(link);
                }
            }
            if waiting.len() == before {
                return Err(refuse(waiting[0], NameProblem::LinkToNothing));
            }
            links = waiting;
        }
        Ok(())
    }

    /// Lower bound of the bytes still to be written after the current file.
    fn remaining_bytes(&self, end_of_file: u64) -> u64 {
        end_of_file.max(self.limits.expected_bytes).saturating_sub(self.unpacked.bytes)
    }

    fn require_space(&self, short: Option<DiskShortage>) -> Result<(), UnpackError> {
        short.map_or(Ok(()), |DiskShortage { need_bytes, free_bytes }| {
            Err(UnpackError::DiskShort { path: self.root.clone(), need_bytes, free_bytes })
        })
    }

    fn report(&self) {
        (self.progress)(UnpackProgress {
            bytes_done: self.read.load(Ordering::Relaxed).min(self.bytes_total),
            bytes_total: self.bytes_total,
            unpacked_bytes: self.unpacked.bytes,
        });
    }

    /// Creates the parents of a path, and removes a file there from an earlier archive of the release.
    fn prepare_path(&mut self, path: &Path) -> Result<PathBuf, UnpackError> {
        if let Some(folder) = path.parent() {
            self.folder(folder)?;
        }
        let full = self.root.join(path);
        match files::remove_file(&full) {
            Ok(()) => Ok(full),
            Err(error) => Err(UnpackError::write(&full, error.source)),
        }
    }

    /// Resolves a path as the system would, link by link, and returns whether it stays inside the folder.
    fn leads_inside(&self, path: &Path) -> bool {
        let mut at: Vec<PathBuf> = Vec::new();
        let mut read_ahead: Vec<PathBuf> = reversed(path);
        let mut followed = 0;
        while let Some(component) = read_ahead.pop() {
            match component.components().next() {
                None | Some(Component::CurDir) => continue,
                Some(Component::ParentDir) => {
                    if at.pop().is_none() {
                        return false;
                    }
                    continue;
                }
                Some(Component::Normal(_)) => {}
                Some(Component::RootDir | Component::Prefix(_)) => return false,
            }
            let here: PathBuf = self.root.join(at.iter().collect::<PathBuf>()).join(&component);
            match std::fs::read_link(&here) {
                Ok(target) => {
                    followed += 1;
                    if followed > LINKS_FOLLOWED {
                        return false;
                    }
                    read_ahead.extend(reversed(&target));
                }
                // Not a link, or missing: descend.
                Err(_) => at.push(component),
            }
        }
        true
    }
}

/// A reader that counts bytes.
pub struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl<R: io::Seek> io::Seek for Counted<R> {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

fn hostile(name: &[u8], problem: NameProblem) -> UnpackError {
    let entry: String =
        String::from_utf8_lossy(name).chars().take(200).flat_map(char::escape_default).collect();
    UnpackError::Hostile { entry: entry.into(), problem }
}

fn reversed(path: &Path) -> Vec<PathBuf> {
    path.components().rev().map(|component| PathBuf::from(component.as_os_str())).collect()
}

fn create(path: &Path, executable: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if executable { 0o755 } else { 0o644 });
    }
    let file = options.open(path)?;
    // Set again: the umask applied when the file was created.
    files::set_mode(&file, if executable { 0o755 } else { 0o644 })?;
    Ok(file)
}

#[cfg(unix)]
fn make_link(target: &str, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

/// Windows accounts without privileges cannot create symbolic links.
#[cfg(windows)]
fn make_link(_target: &str, _at: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
