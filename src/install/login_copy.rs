//! What the entries started at login have in common: which home they belong to, and the copy of this program that they call.

use std::path::{Path, PathBuf};

use crate::install::{InstallError, Paths};
use crate::platform::environment::{self, Environment};
use crate::platform::files;
use crate::platform::login::{AutostartMethod, EntryOwner};
use crate::platform::regular;
use crate::platform::same_path;

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
        let (mut from, mut to) = (regular::open(&own)?, files::create_anew(&new)?);
        std::io::copy(&mut from, &mut to)?;
        files::make_executable(&to)?;
        files::sync(&to)
    };
    write().map_err(files::writing(&new))?;
    files::rename(&new, &copy).map_err(files::renaming(&new))?;
    Ok(copy)
}

fn have_same_contents(own: &Path, copy: &Path) -> bool {
    if files::length(own) != files::length(copy) {
        return false;
    }
    let contents = |path: &Path| files::sha256(path, &|| false).ok();
    contents(own).is_some_and(|ours| contents(copy) == Some(ours))
}
