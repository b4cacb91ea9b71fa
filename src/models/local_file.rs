//! A model in a file of the user's on this computer, in one piece or in parts.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::checksum::Sha256;
use crate::untrusted::UntrustedText;

/// The files that a model's header was read from, as they were then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalModelFile {
    /// All parts in order; one for a file in one piece. Never empty.
    pub parts: Vec<LocalFilePart>,
    /// Whether the file has a chat template. Without one the engine cannot know how the model was trained to chat.
    pub has_chat_template: bool,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFilePart {
    /// Its path, absolute.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was changed last, if the system tells.
    pub modified: Option<SystemTime>,
}

/// What documents state about a file that a model was installed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFileRecord {
    /// Its path.
    pub path: UntrustedText,
    /// Its size.
    pub size_bytes: u64,
    /// Its checksum.
    pub sha256: Sha256,
}

impl From<LocalFileRecord> for LocalFilePart {
    /// The file as it was recorded; when it was changed last is not known.
    fn from(record: LocalFileRecord) -> Self {
        Self { path: PathBuf::from(record.path.as_str()), bytes: record.size_bytes, modified: None }
    }
}

impl LocalModelFile {
    /// The file that the user named, or the first part of it.
    pub fn path(&self) -> &Path {
        self.parts.first().map_or(Path::new(""), |part| &part.path)
    }
}
