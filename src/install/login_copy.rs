//! What the entries started at login have in common: which home they belong to, and the copy of this program that they call.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::checksum::Sha256;
use crate::install::{InstallError, Paths};
use crate::platform::environment::{self, Environment};
use crate::platform::files;
use crate::platform::login::{AutostartMethod, EntryOwner};
use crate::platform::regular;
use crate::platform::same_path;
use crate::platform::windows_program;

/// Maximum size of an entry; ours have about 1 KB.
const MAX_ENTRY_BYTES: u64 = 1 << 20;

/// The files that an entry of this home calls; they may be missing.
pub fn programs(paths: &Paths) -> [PathBuf; 2] {
    let copy = copy_path(paths);
    [files::temporary(&copy), copy]
}

/// The copy of this program that an entry calls.
pub fn copy_path(paths: &Paths) -> PathBuf {
    paths.programs().join(if cfg!(windows) { "acolyte-at-login.exe" } else { "acolyte-at-login" })
}

/// Whose entry it is.
pub fn owner(paths: &Paths) -> EntryOwner {
    let usual = Environment::of_process().default_acolyte_home();
    let is_usual = usual.is_some_and(|usual| same_path::key(&usual) == same_path::key(paths.home()));
    EntryOwner { home_id: (!is_usual).then(|| paths.id()) }
}

/// Whether an entry exists and belongs to this home.
pub fn is_ours(method: &AutostartMethod, paths: &Paths) -> bool {
    method.is_installed()
        && match method.file() {
            // Assume an unreadable entry is ours, but not a pipe or something huge: we write neither.
            Some(file) => match regular::read_text(&file, MAX_ENTRY_BYTES) {
                Ok(entry) => entry.contains(&paths.id()),
                Err(error) => !regular::is_refusal(&error),
            },
            // The value calls our copy of this program.
            None => method.command_line().is_some_and(|line| {
                let program = copy_path(paths).to_string_lossy().to_lowercase();
                line.to_lowercase().contains(&program)
            }),
        }
}

/// A copy, not a hard link: otherwise a user who can write the downloaded program could change what runs at login.
///
/// # Errors
/// When it cannot be written.
pub fn install_own_copy(paths: &Paths) -> Result<PathBuf, InstallError> {
    let copy = copy_path(paths);
    files::create_folders(&paths.programs())?;
    let own = environment::own_program().map_err(files::reading(Path::new("own program")))?;
    if own == copy || have_same_contents(&own, &copy) {
        return Ok(copy);
    }
    let new = files::temporary(&copy);
    let write = || -> std::io::Result<()> {
        let mut to = files::create_anew(&new)?;
        read_for_login(&own, |piece| to.write_all(piece))?;
        files::make_executable(&to)?;
        files::sync(&to)
    };
    write().map_err(files::writing(&new))?;
    files::rename(&new, &copy).map_err(files::renaming(&new))?;
    Ok(copy)
}

/// Reads a program in pieces as the copy that runs at login has it: on Windows without a console, which would be seen at
/// each login. Contents only: the mark of a download stays with the original.
fn read_for_login(
    program: &Path,
    mut piece: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut file = regular::open(program)?;
    let mut start = Vec::new();
    (&mut file).take(windows_program::HEADER_BYTES as u64).read_to_end(&mut start)?;
    if cfg!(windows) {
        windows_program::without_console(&mut start);
    }
    piece(&start)?;
    files::read_pieces(file, |error| error, piece)
}

fn have_same_contents(own: &Path, copy: &Path) -> bool {
    if files::length(own) != files::length(copy) {
        return false;
    }
    let contents = |path: &Path| {
        let mut hasher = sha2::Sha256::default();
        let read = read_for_login(path, |piece| {
            sha2::Digest::update(&mut hasher, piece);
            Ok(())
        });
        read.ok().map(|()| Sha256::from(hasher))
    };
    contents(own).is_some_and(|ours| contents(copy) == Some(ours))
}

/// Arguments with which an entry calls the copy. On Windows it knows its home from its own place: such an entry may have 260
/// characters.
pub fn arguments(command: &str, paths: &Paths) -> Vec<OsString> {
    let home = (!cfg!(windows)).then(|| paths.home().into());
    std::iter::once(command.into()).chain(home).collect()
}

/// The home of the copy of this program that runs, if it is one.
pub fn home_of_copy() -> Option<PathBuf> {
    let own = environment::own_program().ok()?;
    let paths = Paths::new(own.parent()?.parent()?);
    (same_path::key(&copy_path(&paths)) == same_path::key(&own)).then(|| paths.home().to_owned())
}
