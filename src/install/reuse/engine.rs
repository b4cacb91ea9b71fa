//! An Ollama already installed here, copied into our folder instead of downloaded.
//!
//! It is copied and not started in place, so that an update or removal of the original does not affect ours, and so that
//! our processes are recognised by the path of their program. It is used only if it is at least as recent as the pinned
//! release, has the layout of a release, and, on Unix, only this user and root can have written it or can replace it or a
//! folder above it.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{copy, link_or_copy};
use crate::checksum::Sha256;
use crate::control::{Cancelled, Control};
use crate::machine::FoundEngine;
use crate::ollama::release::parse_version;
use crate::platform;
use crate::platform::files::{self, FileError, reading, writing};
use crate::platform::ownership::{self, OwnershipError};
use crate::untrusted::UntrustedText;

/// Maximum number of files; releases have fewer.
const MAX_FILES: usize = 2000;

/// An engine on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledEngine {
    /// Its version, as it reports itself.
    pub version: String,
    /// Its program, with links resolved.
    pub program: PathBuf,
    /// Bytes on disk.
    pub bytes: u64,
}

/// Why an engine on this computer cannot be reused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReusable {
    /// It is older than the release this program was made with.
    #[error("{version} is older than {minimum}")]
    Older {
        /// Its version.
        version: UntrustedText,
        /// What is needed.
        minimum: String,
    },
    /// It does not report its version, or its program is unknown.
    #[error("its version or its program is unknown")]
    Unknown,
    /// Its files are not laid out like a release.
    #[error("{path} is not laid out like a release")]
    Layout {
        /// Its program.
        path: PathBuf,
    },
    /// Another user could have written it.
    #[error("other users can write {path}")]
    Writable {
        /// The file or folder.
        path: PathBuf,
    },
    /// The copy differs from the program that was found.
    #[error("it is being changed")]
    Changed,
    /// It cannot be read.
    #[error("{path}: {problem}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        problem: UntrustedText,
    },
}

/// Copying an engine did not finish.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The engine changed since it was found.
    #[error("{program} changed: {reason}")]
    NotReusable {
        /// Its program.
        program: PathBuf,
        /// Why it cannot be used any more.
        reason: NotReusable,
    },
    /// A file could not be copied.
    #[error(transparent)]
    File(#[from] FileError),
    /// The user stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Checks that an engine that was found can be reused.
///
/// # Errors
/// Why it cannot be reused.
pub(super) fn examine(engine: &FoundEngine, minimum: &str) -> Result<InstalledEngine, NotReusable> {
    let (Some(version), Some(path)) = (&engine.version, &engine.path) else {
        return Err(NotReusable::Unknown);
    };
    let (found, needed) = (parse_version(version).ok_or(NotReusable::Unknown)?, parse_version(minimum));
    if Some(&found) < needed.as_ref() {
        return Err(NotReusable::Older { version: version.clone(), minimum: minimum.to_owned() });
    }
    let program = trusted(path)?;
    let bytes = contents(&program)?.iter().map(|file| file.bytes).sum();
    Ok(InstalledEngine { version: version.to_string(), program, bytes })
}

/// The program with all links resolved, if no other user can change or replace it.
fn trusted(program: &Path) -> Result<PathBuf, NotReusable> {
    let resolved = ownership::resolve_program(program).map_err(untrusted)?;
    std::fs::canonicalize(&resolved).map_err(|error| unreadable(&resolved, &error))
}

fn untrusted(error: OwnershipError) -> NotReusable {
    match error {
        OwnershipError::File(error) => unreadable(&error.path, &error.source),
        OwnershipError::Kind { path } => NotReusable::Layout { path },
        OwnershipError::Foreign { path, .. }
        | OwnershipError::Writable { path }
        | OwnershipError::WritableAbove { path }
        | OwnershipError::Link { path } => NotReusable::Writable { path },
    }
}

/// One file of an engine.
struct EnginePart {
    from: PathBuf,
    /// Its path in a release.
    to: PathBuf,
    bytes: u64,
    is_program: bool,
    /// Its target, if it is a link.
    link: Option<PathBuf>,
}

/// The files of an engine, with their paths in a release.
fn contents(program: &Path) -> Result<Vec<EnginePart>, NotReusable> {
    let EngineLayout { place, library, to } = layout(program, cfg!(target_os = "macos"))
        .ok_or_else(|| NotReusable::Layout { path: program.to_owned() })?;
    let mut parts = Vec::new();
    if let Some(place) = place {
        require_unwritable_by_others(program.parent().unwrap_or(program))?;
        parts.push(part(program, place)?);
    }
    // The folders above it as well: they are not those of the program.
    let library = ownership::resolve(&library).map_err(untrusted)?;
    collect(&library, &to, &mut parts)?;
    Ok(parts)
}

/// How an engine lies on the drive.
#[derive(Debug, PartialEq, Eq)]
struct EngineLayout {
    /// The program's path in a release; `None` if it is in the folder of the libraries.
    place: Option<PathBuf>,
    /// The folder of the libraries.
    library: PathBuf,
    /// Its path in a release.
    to: PathBuf,
}

/// The layout of a program's folder; `None` for an unknown one.
fn layout(program: &Path, is_macos: bool) -> Option<EngineLayout> {
    let folder = program.parent()?;
    let name = program.file_name()?;
    let runner = if cfg!(windows) { "llama-server.exe" } else { "llama-server" };
    let beside = folder.join("lib").join("ollama");
    let above = folder.parent().map(|root| root.join("lib").join("ollama"));
    let to = Path::new("lib").join("ollama");
    if let Some(library) = above.filter(|library| library.join(runner).is_file()) {
        return Some(EngineLayout { place: Some(Path::new("bin").join(name)), library, to });
    }
    if beside.join(runner).is_file() {
        return Some(EngineLayout { place: Some(PathBuf::from(name)), library: beside, to });
    }
    // The desktop app has program, runner and libraries in one folder.
    let is_app = is_macos && folder.ends_with("Contents/Resources") && folder.join(runner).is_file();
    is_app.then(|| EngineLayout { place: None, library: folder.to_owned(), to: PathBuf::new() })
}

fn collect(folder: &Path, to: &Path, parts: &mut Vec<EnginePart>) -> Result<(), NotReusable> {
    require_unwritable_by_others(folder)?;
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|error| unreadable(&from, &error))?;
        if kind.is_dir() {
            collect(&from, &to, parts)?;
        } else {
            parts.push(part(&from, to)?);
        }
        if parts.len() > MAX_FILES {
            return Err(NotReusable::Layout { path: folder.to_owned() });
        }
    }
    Ok(())
}

fn part(from: &Path, to: PathBuf) -> Result<EnginePart, NotReusable> {
    let found = std::fs::symlink_metadata(from).map_err(|error| unreadable(from, &error))?;
    if found.is_symlink() {
        let target = std::fs::read_link(from).map_err(|error| unreadable(from, &error))?;
        // Releases link libraries within their folder only.
        if target.components().count() != 1 || target.file_name().is_none() {
            return Err(NotReusable::Layout { path: from.to_owned() });
        }
        return Ok(EnginePart { from: from.to_owned(), to, bytes: 0, is_program: false, link: Some(target) });
    }
    if !found.is_file() {
        return Err(NotReusable::Layout { path: from.to_owned() });
    }
    require_unwritable_by_others(from)?;
    let is_program = is_executable(&found) && from.extension().is_none_or(|extension| extension == "exe");
    Ok(EnginePart { from: from.to_owned(), to, bytes: found.len(), is_program, link: None })
}

fn require_unwritable_by_others(path: &Path) -> Result<(), NotReusable> {
    if platform::others_can_write(path) {
        return Err(NotReusable::Writable { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(found: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_found: &Metadata) -> bool {
    true
}

fn unreadable(path: &Path, error: &io::Error) -> NotReusable {
    NotReusable::Unreadable { path: path.to_owned(), problem: error.to_string().into() }
}

/// Copies an engine into a folder, which should be empty. Programs are copied, so that each has only one path;
/// everything else is hard-linked if the file system supports it. Returns its files, relative to the folder.
///
/// # Errors
/// When it changed or moved since it was found, a file cannot be read or written, or the user cancels.
pub fn copy_engine(
    engine: &InstalledEngine,
    folder: &Path,
    control: &Control,
    progress: &dyn Fn(u64),
) -> Result<Vec<PathBuf>, CopyError> {
    let changed = |reason| CopyError::NotReusable { program: engine.program.clone(), reason };
    let program = trusted(&engine.program).map_err(changed)?;
    if program != engine.program {
        return Err(changed(NotReusable::Changed));
    }
    let parts = contents(&program).map_err(changed)?;
    let (mut done, mut copied) = (0, Vec::new());
    for part in parts {
        control.until_resumed_blocking()?;
        let to = folder.join(&part.to);
        if let Some(parent) = to.parent() {
            files::create_folders(parent)?;
        }
        match &part.link {
            Some(target) => make_link(target, &part.from, &to).map_err(writing(&to))?,
            None if part.is_program => {
                copy(&part.from, &to).and_then(|()| make_executable(&to)).map_err(writing(&to))?;
            }
            None => link_or_copy(&part.from, &to).map_err(writing(&to))?,
        }
        done += part.bytes;
        progress(done);
        copied.push(part.to);
    }
    Ok(copied)
}

impl InstalledEngine {
    /// Checksum of its program, for the receipt.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn program_sha256(&self) -> Result<Sha256, FileError> {
        files::sha256(&self.program, &|| false).map_err(reading(&self.program))
    }
}

#[cfg(unix)]
fn make_link(target: &Path, from: &Path, to: &Path) -> io::Result<()> {
    match std::os::unix::fs::symlink(target, to) {
        Err(error) if files::FileCause::of(&error, to).is_missing_support() => copy(from, to),
        made => made,
    }
}

#[cfg(not(unix))]
fn make_link(_target: &Path, from: &Path, to: &Path) -> io::Result<()> {
    copy(from, to)
}

/// Sets mode 0755: set-user-ID bits are not copied.
#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    files::set_mode(&std::fs::File::open(path)?, 0o755)
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A folder with empty files.
    fn with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn the_app_of_macos_has_program_and_libraries_in_one_folder() {
        let resources = "Ollama.app/Contents/Resources";
        let app = with(&[&format!("{resources}/ollama"), &format!("{resources}/llama-server")]);
        let program = app.path().join(resources).join("ollama");
        let library = app.path().join(resources);
        let expected = EngineLayout { place: None, library, to: PathBuf::new() };
        assert_eq!(layout(&program, true), Some(expected));
        assert_eq!(layout(&program, false), None, "no app of another system");

        let archive = with(&["ollama", "lib/ollama/llama-server"]);
        let unpacked = layout(&archive.path().join("ollama"), true).unwrap();
        assert_eq!((unpacked.place, unpacked.to), (Some("ollama".into()), "lib/ollama".into()));
        let prefix = with(&["bin/ollama", "lib/ollama/llama-server"]);
        let installed = layout(&prefix.path().join("bin/ollama"), true).unwrap();
        assert_eq!(installed.place, Some("bin/ollama".into()));
        let elsewhere = with(&["Resources/ollama", "Resources/llama-server"]);
        assert_eq!(layout(&elsewhere.path().join("Resources/ollama"), true), None);
    }
}
