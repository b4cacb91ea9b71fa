//! The manifest in an engine's folder: its archives, and each file as it was unpacked, so that a later run or start
//! detects missing, truncated and changed files.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::control::{Cancelled, Control};
use crate::install::state::documents::{read_json, to_json};
use crate::install::unpack::UnpackedFile;
use crate::install::{ArchiveRecord, InstallError};
use crate::platform::files::{self, FileError, reading};

/// The manifest's file. Its presence means that the engine was complete and synced, because both are moved to their
/// place in one rename.
const FILE: &str = "acolyte-engine.json";

/// What an engine was unpacked from, and its files.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineManifest {
    schema: u32,
    /// Its version.
    pub version: String,
    /// What it was unpacked or copied from.
    pub archives: Vec<ArchiveRecord>,
    /// Files and links.
    pub files: Vec<EngineFile>,
}

/// A file or link of an engine, as unpacked.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFile {
    /// Path below the engine's folder.
    pub path: PathBuf,
    /// Length; `None` for a link, which only has to exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// CRC-32 of its contents; `None` if they were copied without being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc32: Option<u32>,
    /// Modification time, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified_ns: Option<u64>,
}

/// How thoroughly files are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Lengths and times; contents only of files modified since.
    Quick,
    /// The contents of every file.
    Thorough,
}

impl EngineManifest {
    /// Path of the manifest in an engine's folder.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    /// Reads it; `None` if it is missing or unreadable, so that the engine is unpacked again.
    pub fn load(folder: &Path) -> Option<Self> {
        read_json(&Self::path(folder)).ok().flatten()
    }

    /// The manifest of files that were just put into a folder.
    ///
    /// # Errors
    /// When a file is missing.
    pub fn new(
        version: &str,
        archives: Vec<ArchiveRecord>,
        folder: &Path,
        unpacked: Vec<UnpackedFile>,
    ) -> Result<Self, FileError> {
        let files =
            unpacked.into_iter().map(|file| EngineFile::of(folder, file)).collect::<Result<_, _>>()?;
        Ok(Self { schema: crate::SCHEMA, version: version.to_owned(), archives, files })
    }

    /// Writes it into the folder after every listed file is synced to disk. Blocks as long as the sync takes.
    ///
    /// # Errors
    /// When a file cannot be synced or written; when cancelled.
    pub fn sync_and_write(&self, folder: &Path, control: &Control) -> Result<(), InstallError> {
        let mut folders = BTreeSet::from([folder.to_owned()]);
        for file in &self.files {
            control.check()?;
            let path = folder.join(&file.path);
            if file.bytes.is_some() {
                files::sync_file(&path)?;
            }
            folders.extend(path.ancestors().skip(1).take_while(|above| *above != folder).map(Path::to_owned));
        }
        for folder in &folders {
            files::sync_folder(folder);
        }
        let path = Self::path(folder);
        Ok(files::write_whole(&path, &to_json(&path, self)?)?)
    }

    /// The first file that differs from what was unpacked. An unreadable file counts as damaged.
    ///
    /// # Errors
    /// When cancelled.
    pub fn first_damaged(
        &self,
        folder: &Path,
        depth: Depth,
        control: &Control,
    ) -> Result<Option<PathBuf>, Cancelled> {
        for file in &self.files {
            let path = folder.join(&file.path);
            match file.is_whole(&path, depth, control) {
                Ok(true) => {}
                Ok(false) => return Ok(Some(path)),
                Err(error) => {
                    control.check()?;
                    tracing::info!(%error, path = %path.display(), "a file of the engine cannot be read");
                    return Ok(Some(path));
                }
            }
        }
        Ok(None)
    }

    /// Whether it was unpacked from archives, not copied from an engine installed elsewhere.
    pub fn is_of_a_release(&self) -> bool {
        self.archives.iter().all(|archive| !Path::new(&archive.name).is_absolute())
    }
}

impl EngineFile {
    fn of(folder: &Path, file: UnpackedFile) -> Result<Self, FileError> {
        let path = folder.join(&file.path);
        let found = path.symlink_metadata().map_err(reading(&path))?;
        let bytes = (!found.is_symlink()).then_some(found.len());
        Ok(Self { path: file.path, bytes, crc32: file.crc32, modified_ns: modified_ns(&found) })
    }

    fn is_whole(&self, path: &Path, depth: Depth, control: &Control) -> io::Result<bool> {
        let found = path.symlink_metadata()?;
        let Some(bytes) = self.bytes else { return Ok(true) };
        if !found.is_file() || found.len() != bytes {
            return Ok(false);
        }
        let untouched = modified_ns(&found) == self.modified_ns;
        match self.crc32 {
            Some(crc32) if depth == Depth::Thorough || !untouched => Ok(crc32_of(path, control)? == crc32),
            Some(_) => Ok(true),
            None => Ok(untouched),
        }
    }
}

fn modified_ns(metadata: &std::fs::Metadata) -> Option<u64> {
    let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

fn crc32_of(path: &Path, control: &Control) -> io::Result<u32> {
    let mut crc32 = crc32fast::Hasher::new();
    files::read_through(path, &|| control.is_cancelled(), |piece| crc32.update(piece))?;
    Ok(crc32.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CONTENT: &[u8] = b"a library of some length";

    /// A folder with a program, a library, a link and their manifest.
    fn engine() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lib")).unwrap();
        let mut unpacked = Vec::new();
        for name in ["ollama", "lib/library.so"] {
            std::fs::write(folder.path().join(name), CONTENT).unwrap();
            unpacked.push(UnpackedFile { path: name.into(), crc32: Some(crc32fast::hash(CONTENT)) });
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("library.so", folder.path().join("lib/library.so.1")).unwrap();
            unpacked.push(UnpackedFile { path: "lib/library.so.1".into(), crc32: None });
        }
        let manifest = EngineManifest::new("1.0", Vec::new(), folder.path(), unpacked).unwrap();
        manifest.sync_and_write(folder.path(), &Control::new()).unwrap();
        assert_eq!(EngineManifest::load(folder.path()), Some(manifest), "it is read as written");
        folder
    }

    fn damaged(folder: &Path, depth: Depth) -> Option<PathBuf> {
        EngineManifest::load(folder).unwrap().first_damaged(folder, depth, &Control::new()).unwrap()
    }

    fn touch(path: &Path, modified: std::time::SystemTime) {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    }

    #[test]
    fn unchanged_files_are_intact() {
        let folder = engine();
        for depth in [Depth::Quick, Depth::Thorough] {
            assert_eq!(damaged(folder.path(), depth), None);
        }
        // A different modification time alone is not damage: a restored backup has one.
        touch(&folder.path().join("ollama"), std::time::UNIX_EPOCH);
        assert_eq!(damaged(folder.path(), Depth::Quick), None);
    }

    #[test]
    fn missing_truncated_and_changed_files_are_found() {
        type Tear = fn(&Path);
        let tears: [(&str, Tear); 4] = [
            ("gone", |path| std::fs::remove_file(path).unwrap()),
            ("empty", |path| std::fs::write(path, b"").unwrap()),
            ("cut", |path| std::fs::write(path, &CONTENT[..5]).unwrap()),
            ("zeroes", |path| std::fs::write(path, [0; CONTENT.len()]).unwrap()),
        ];
        for (how, tear) in tears {
            let folder = engine();
            let path = folder.path().join("lib/library.so");
            tear(&path);
            for depth in [Depth::Quick, Depth::Thorough] {
                assert_eq!(damaged(folder.path(), depth), Some(path.clone()), "{how}, {depth:?}");
            }
        }
    }

    #[test]
    fn silent_corruption_is_found_by_thorough_verification() {
        let folder = engine();
        let path = folder.path().join("ollama");
        let modified = path.metadata().unwrap().modified().unwrap();
        std::fs::write(&path, [0; CONTENT.len()]).unwrap();
        touch(&path, modified);
        assert_eq!(damaged(folder.path(), Depth::Quick), None, "the quick check does not notice it");
        assert_eq!(damaged(folder.path(), Depth::Thorough), Some(path));
    }

    #[test]
    fn a_file_copied_without_a_checksum_is_recognised_by_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ollama");
        std::fs::write(&path, CONTENT).unwrap();
        let files = vec![UnpackedFile { path: "ollama".into(), crc32: None }];
        EngineManifest::new("1.0", Vec::new(), folder.path(), files)
            .unwrap()
            .sync_and_write(folder.path(), &Control::new())
            .unwrap();
        assert_eq!(damaged(folder.path(), Depth::Thorough), None);
        touch(&path, std::time::UNIX_EPOCH);
        assert_eq!(damaged(folder.path(), Depth::Thorough), Some(path));
    }

    #[test]
    fn it_can_be_cancelled() {
        let (folder, control) = (engine(), Control::new());
        control.cancel();
        let manifest = EngineManifest::load(folder.path()).unwrap();
        assert_eq!(manifest.first_damaged(folder.path(), Depth::Thorough, &control), Err(Cancelled));
        assert!(manifest.sync_and_write(folder.path(), &control).unwrap_err().is_cancelled());
    }
}
