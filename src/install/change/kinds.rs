//! The kinds of changes, as the journal writes them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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
}
