//! The kinds of changes, as the journal writes them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::models::ModelTag;

/// One change. Its serialised form is the journal's format, so variants are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A folder that did not exist.
    CreateFolder {
        /// The folder.
        path: PathBuf,
    },
    /// One of our documents, created or replaced.
    WriteFile {
        /// The file.
        path: PathBuf,
    },
    /// An archive, with its partial download next to it (`NAME.*`).
    Download {
        /// The archive.
        path: PathBuf,
    },
    /// The engine.
    UnpackEngine {
        /// Its version.
        version: String,
        /// Its final folder.
        path: PathBuf,
        /// The folder it is unpacked into first.
        staging: PathBuf,
    },
    /// A private server, started or restarted with other settings.
    StartServer {
        /// Its port.
        port: u16,
    },
    /// A model fetched from a registry.
    PullModel {
        /// Its tag.
        tag: ModelTag,
        /// The model store's folder.
        models_dir: PathBuf,
    },
    /// A model created from another one.
    CreateModel {
        /// Its name.
        name: ModelTag,
        /// The model store's folder.
        models_dir: PathBuf,
    },
    /// The login entry that starts the server, created, replaced or removed.
    StartAtLogin,
    /// A file of ours that keeps this program on the computer, created or replaced: a copy of a program, a menu entry, an
    /// icon, completions.
    PlaceFile {
        /// The file.
        path: PathBuf,
        /// SHA-256 of what we wrote.
        sha256: Sha256,
        /// Whether there was a file, which is restored.
        existed: bool,
    },
    /// A line in a profile file of a shell, which puts our programs on `PATH`.
    AddShellLine {
        /// The file.
        path: PathBuf,
        /// The bytes that were added.
        added: String,
        /// Whether the file was created for it.
        created: bool,
    },
    /// Our folder of programs in the user's `PATH`, in the registry of Windows.
    AddToUserPath {
        /// The folder.
        folder: PathBuf,
    },
    /// The entry in Windows' list of installed apps, created or replaced.
    ListInstalledApp,
    /// The active engine, moved to a backup folder while another build of the same version replaces it.
    #[serde(rename = "set_aside")]
    BackUpEngine {
        /// Its folder.
        path: PathBuf,
        /// The backup folder.
        #[serde(rename = "aside")]
        backup: PathBuf,
    },
}

impl Change {
    /// Whether the change keeps this program on the computer.
    pub fn keeps_program(&self) -> bool {
        matches!(
            self,
            Self::PlaceFile { .. }
                | Self::AddShellLine { .. }
                | Self::AddToUserPath { .. }
                | Self::ListInstalledApp
        )
    }
}

/// What a change is about, for lists shown to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A folder, removed only when it is empty.
    Folder(PathBuf),
    /// A file, or a folder with everything in it.
    Path(PathBuf),
    /// A document that is restored or removed.
    Document(PathBuf),
    /// A model.
    Model {
        /// Its tag.
        tag: ModelTag,
        /// Bytes of its layers, shared ones included.
        bytes: u64,
    },
    /// The private server.
    Server,
    /// The login entry.
    LoginEntry,
    /// A line in a profile file of a shell.
    ShellLine(PathBuf),
    /// The user's `PATH`.
    UserPath,
    /// The entry in the list of installed apps.
    InstalledApp,
}
