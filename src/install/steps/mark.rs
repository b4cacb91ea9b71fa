//! What an engine's folder holds, written down in it: which archives it came from, and each file as it was unpacked, so
//! that a later run or start notices when one is missing, was cut short or holds something else.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::control::{Cancelled, Control};
use crate::install::state::documents::{read_json, to_json};
use crate::install::unpack::UnpackedFile;
use crate::install::{ArchiveRecord, InstallError};
use crate::platform::files::{self, FileError, reading};

/// The file in an engine's folder that says what it was unpacked from. Its presence means that all of it was there and on
/// the disk, because it is moved to its place together with the rest.
pub const MARK: &str = "acolyte-engine.json";

/// What an unpacked engine was unpacked from, and what came out.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    schema: u32,
    /// Its version.
    pub version: String,
    /// What it was unpacked or copied from.
    pub archives: Vec<ArchiveRecord>,
    /// Files and links.
    pub files: Vec<MarkedFile>,
}

/// A file or link of an engine, as it was unpacked.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkedFile {
    /// Where it lies, relative to the folder.
    pub path: PathBuf,
    /// Its length; `None` for a link, which only has to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// CRC-32 of its contents; `None` where they were copied without being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crc32: Option<u32>,
    /// When it was last written, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified_ns: Option<u64>,
}

/// How closely files are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Lengths and times; the contents only of what was written since.
    Quick,
    /// The contents of every file.
    Thorough,
}

impl Mark {
    /// That of an engine's folder. One that cannot be read is none: the engine is then unpacked again.
    pub fn of(folder: &Path) -> Option<Self> {
        read_json(&folder.join(MARK)).ok().flatten()
    }

    /// Of what was just put into a folder.
    ///
    /// # Errors
    /// When a file is not there.
    pub fn new(
        version: &str,
        archives: Vec<ArchiveRecord>,
        folder: &Path,
        unpacked: Vec<UnpackedFile>,
    ) -> Result<Self, FileError> {
        let files =
            unpacked.into_iter().map(|file| MarkedFile::of(folder, file)).collect::<Result<_, _>>()?;
        Ok(Self { schema: crate::SCHEMA, version: version.to_owned(), archives, files })
    }

    /// Writes it into the folder, once the disk has everything that it lists. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// What the system says; the person's own decision.
    pub fn seal(&self, folder: &Path, control: &Control) -> Result<(), InstallError> {
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
        let path = folder.join(MARK);
        Ok(files::write_whole(&path, &to_json(&path, self)?)?)
    }

    /// The first file that is not as it was unpacked. One that cannot be read is damaged too.
    ///
    /// # Errors
    /// When the person stops it.
    pub fn damaged(
        &self,
        folder: &Path,
        look: Look,
        control: &Control,
    ) -> Result<Option<PathBuf>, Cancelled> {
        for file in &self.files {
            let path = folder.join(&file.path);
            match file.is_whole(&path, look, control) {
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

    /// Whether it was unpacked from archives, and not copied from an engine that was here.
    pub fn is_of_a_release(&self) -> bool {
        self.archives.iter().all(|archive| !Path::new(&archive.name).is_absolute())
    }
}

impl MarkedFile {
    fn of(folder: &Path, file: UnpackedFile) -> Result<Self, FileError> {
        let path = folder.join(&file.path);
        let found = path.symlink_metadata().map_err(reading(&path))?;
        let bytes = (!found.is_symlink()).then_some(found.len());
        Ok(Self { path: file.path, bytes, crc32: file.crc32, modified_ns: modified_ns(&found) })
    }

    fn is_whole(&self, path: &Path, look: Look, control: &Control) -> io::Result<bool> {
        let found = path.symlink_metadata()?;
        let Some(bytes) = self.bytes else { return Ok(true) };
        if !found.is_file() || found.len() != bytes {
            return Ok(false);
        }
        let untouched = modified_ns(&found) == self.modified_ns;
        match self.crc32 {
            Some(crc32) if look == Look::Thorough || !untouched => Ok(crc32_of(path, control)? == crc32),
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

    /// A folder with a program, a library and a link, sealed.
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
        let mark = Mark::new("1.0", Vec::new(), folder.path(), unpacked).unwrap();
        mark.seal(folder.path(), &Control::new()).unwrap();
        assert_eq!(Mark::of(folder.path()), Some(mark), "it is read as it was written");
        folder
    }

    fn damaged(folder: &Path, look: Look) -> Option<PathBuf> {
        Mark::of(folder).unwrap().damaged(folder, look, &Control::new()).unwrap()
    }

    fn touch(path: &Path, modified: std::time::SystemTime) {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    }

    #[test]
    fn what_was_not_touched_is_whole() {
        let folder = engine();
        for look in [Look::Quick, Look::Thorough] {
            assert_eq!(damaged(folder.path(), look), None);
        }
        // Another time alone is no damage: a backup that was put back has one.
        touch(&folder.path().join("ollama"), std::time::UNIX_EPOCH);
        assert_eq!(damaged(folder.path(), Look::Quick), None);
    }

    #[test]
    fn torn_files_are_found() {
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
            for look in [Look::Quick, Look::Thorough] {
                assert_eq!(damaged(folder.path(), look), Some(path.clone()), "{how}, {look:?}");
            }
        }
    }

    #[test]
    fn what_the_disk_has_lost_without_a_word_is_found_by_a_thorough_look() {
        let folder = engine();
        let path = folder.path().join("ollama");
        let modified = path.metadata().unwrap().modified().unwrap();
        std::fs::write(&path, [0; CONTENT.len()]).unwrap();
        touch(&path, modified);
        assert_eq!(damaged(folder.path(), Look::Quick), None, "nothing cheap tells");
        assert_eq!(damaged(folder.path(), Look::Thorough), Some(path));
    }

    #[test]
    fn a_copy_that_nobody_has_read_is_known_by_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ollama");
        std::fs::write(&path, CONTENT).unwrap();
        let files = vec![UnpackedFile { path: "ollama".into(), crc32: None }];
        Mark::new("1.0", Vec::new(), folder.path(), files)
            .unwrap()
            .seal(folder.path(), &Control::new())
            .unwrap();
        assert_eq!(damaged(folder.path(), Look::Thorough), None);
        touch(&path, std::time::UNIX_EPOCH);
        assert_eq!(damaged(folder.path(), Look::Thorough), Some(path));
    }

    #[test]
    fn the_person_can_stop_it() {
        let (folder, control) = (engine(), Control::new());
        control.cancel();
        let mark = Mark::of(folder.path()).unwrap();
        assert_eq!(mark.damaged(folder.path(), Look::Thorough, &control), Err(Cancelled));
        assert!(mark.seal(folder.path(), &control).unwrap_err().is_cancelled());
    }
}
