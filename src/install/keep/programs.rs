//! The window program and its terminal twin: which one runs, and whether the other one is beside it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::platform::{environment, ownership, regular};

/// One of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramKind {
    /// The window, `acolyte-installer`.
    Window,
    /// The terminal program, `acolyte`.
    Terminal,
}

impl ProgramKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Window, Self::Terminal];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Window => "acolyte-installer",
            Self::Terminal => "acolyte",
        }
    }

    /// Name of its file in a package and where it is kept.
    pub fn file_name(self) -> String {
        format!("{}{}", self.name(), std::env::consts::EXE_SUFFIX)
    }

    /// The other one.
    pub fn twin(self) -> Self {
        match self {
            Self::Window => Self::Terminal,
            Self::Terminal => Self::Window,
        }
    }
}

/// The program that runs, and its twin beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPrograms {
    /// Which one runs.
    pub kind: ProgramKind,
    /// Its file.
    pub own: PathBuf,
    /// The other one, if it is beside it and nobody else can have put it there.
    pub twin: Option<PathBuf>,
}

impl OwnPrograms {
    /// This program. Its own file may have another name than in the package; the twin's may not.
    ///
    /// # Errors
    /// When the system does not tell which file runs.
    pub fn of_process(kind: ProgramKind) -> std::io::Result<Self> {
        let own = environment::own_program()?;
        let twin = environment::own_folder().and_then(|folder| twin_in(&folder, kind));
        Ok(Self { kind, own, twin })
    }
}

/// The twin in a folder. Not one that others can change, nor one that came to the folder in another way: a browser saves
/// what a page sends into the folder of downloads without asking.
fn twin_in(folder: &Path, kind: ProgramKind) -> Option<PathBuf> {
    let (own, twin) = (folder.join(kind.file_name()), folder.join(kind.twin().file_name()));
    if !twin.is_file() {
        return None;
    }
    let twin = ownership::resolve_program(&twin)
        .inspect_err(|error| tracing::info!(%error, "the program beside this one is left alone"))
        .ok()?;
    came_together(mark_of_the_web(&own).as_deref(), mark_of_the_web(&twin).as_deref()).then_some(twin)
}

/// What Windows notes about a file from the network, in a stream of it.
fn mark_of_the_web(file: &Path) -> Option<String> {
    /// Larger than any mark.
    const MAX_BYTES: u64 = 64 << 10;
    if !cfg!(windows) {
        return None;
    }
    let mut stream = file.as_os_str().to_owned();
    stream.push(":Zone.Identifier");
    let mark = regular::read(Path::new(&stream), MAX_BYTES).ok()?;
    Some(String::from_utf8_lossy(&mark).into_owned())
}

/// Whether two files came from the network together: both without a mark, or with the same one up to the name of the file.
fn came_together(own: Option<&str>, twin: Option<&str>) -> bool {
    let origin = |mark: &str| -> Vec<String> {
        let folder = |line: &str| match line.rsplit_once('/') {
            Some((folder, _)) if line.starts_with("HostUrl=") => folder.to_owned(),
            _ => line.to_owned(),
        };
        mark.lines().map(folder).collect()
    };
    own.map(origin) == twin.map(origin)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_downloaded_on_its_own_is_no_twin() {
        let from = |url: &str| format!("[ZoneTransfer]\r\nZoneId=3\r\nHostUrl={url}\r\n");
        let ours = from("https://example.com/v1/acolyte-installer.exe");
        assert!(came_together(None, None));
        assert!(came_together(Some(&ours), Some(&from("https://example.com/v1/acolyte.exe"))));
        assert!(!came_together(Some(&ours), Some(&from("https://evil.example/acolyte.exe"))));
        assert!(!came_together(Some(&ours), None), "put there by something else");
        assert!(!came_together(None, Some(&ours)));
    }

    #[cfg(unix)]
    #[test]
    fn a_twin_that_others_can_change_is_left_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let twin = folder.path().join("acolyte");
        assert_eq!(twin_in(folder.path(), ProgramKind::Window), None);
        std::fs::write(&twin, "program").unwrap();
        assert_eq!(twin_in(folder.path(), ProgramKind::Window), Some(std::fs::canonicalize(&twin).unwrap()));
        assert_eq!(twin_in(folder.path(), ProgramKind::Terminal), None);
        std::fs::set_permissions(&twin, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(twin_in(folder.path(), ProgramKind::Window), None);
    }
}
