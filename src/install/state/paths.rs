//! The paths of all our files and folders. Only this file knows their names.

use std::path::{Component, Path, PathBuf};

use crate::checksum::Sha256;
use crate::platform::ownership;
use crate::platform::same_path;

/// Name of the file with which step 1 tries what a folder allows: as long as the longest of a model's files
/// (`sha256-…-partial-NN`).
pub const REHEARSAL_FILE: &str =
    "acolyte-rehearsal-0000000000000000000000000000000000000000000000000000000000000000";

/// All files and folders under one home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    home: PathBuf,
}

impl Paths {
    /// For this home. A relative path is resolved against the current folder, once.
    pub fn new(home: &Path) -> Self {
        Self { home: std::path::absolute(home).unwrap_or_else(|_| home.to_owned()) }
    }

    /// Our folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A short identifier of the home that needs no escaping in any format. What we write outside of it names its home by it.
    pub fn id(&self) -> String {
        Sha256::of(same_path::key(&self.home).as_bytes()).to_string()[..12].to_owned()
    }

    /// A path relative to our folder, empty for the folder itself; `None` when it is elsewhere, not absolute or contains `..`.
    /// It may lead through a link to the folder, if no other user can replace the link.
    pub fn below(&self, path: &Path) -> Option<PathBuf> {
        if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
            return None;
        }
        if let Ok(below) = path.strip_prefix(&self.home) {
            return Some(below.to_owned());
        }
        let home = std::fs::canonicalize(&self.home).ok()?;
        let is_home = |above: &&Path| {
            std::fs::canonicalize(above).is_ok_and(|real| real == home) && ownership::resolve(above).is_ok()
        };
        let above = path.ancestors().find(is_home)?;
        path.strip_prefix(above).ok().map(Path::to_owned)
    }

    /// The files that determine what is deleted and started, and the lock.
    pub fn trusted_files(&self) -> [PathBuf; 10] {
        [
            self.journal(),
            self.lock(),
            self.profile(),
            self.consent(),
            self.receipt(),
            self.request(),
            self.window(),
            self.updates(),
            self.server_state(),
            self.kept(),
        ]
    }

    /// Documents: profile, consent, receipt, journal.
    pub fn llm(&self) -> PathBuf {
        self.home.join("llm")
    }

    /// The profile, which ACOLYTE reads: placement, degraded or not, banner.
    pub fn profile(&self) -> PathBuf {
        self.llm().join("profile.yaml")
    }

    /// What the user agreed to.
    pub fn consent(&self) -> PathBuf {
        self.llm().join("consent.json")
    }

    /// Prediction and measurement.
    pub fn receipt(&self) -> PathBuf {
        self.llm().join("receipt.json")
    }

    /// The last request, so that it can be resumed.
    pub fn request(&self) -> PathBuf {
        self.llm().join("request.json")
    }

    /// Whether to look for newer versions, and what was found.
    pub fn updates(&self) -> PathBuf {
        self.llm().join("updates.json")
    }

    /// Settings of the window.
    pub fn window(&self) -> PathBuf {
        self.llm().join("window.json")
    }

    /// Copies of the documents from before a run, until it has succeeded.
    pub fn snapshot(&self) -> PathBuf {
        self.llm().join("before")
    }

    /// Every change, written before it is applied.
    pub fn journal(&self) -> PathBuf {
        self.llm().join("journal")
    }

    /// The lock file.
    pub fn lock(&self) -> PathBuf {
        self.llm().join("lock")
    }

    /// The state of our server: process and settings.
    pub fn server_state(&self) -> PathBuf {
        self.llm().join("server.json")
    }

    /// What is kept of this program on the computer.
    pub fn kept(&self) -> PathBuf {
        self.llm().join("kept.json")
    }

    /// Copies of files that keeping this program replaces, and what it prepares; until it has succeeded.
    pub fn replaced(&self) -> PathBuf {
        self.snapshot().join("kept")
    }

    /// Downloaded archives, until they are unpacked.
    pub fn downloads(&self) -> PathBuf {
        self.home.join("downloads")
    }

    /// All engines.
    pub fn engines(&self) -> PathBuf {
        self.home.join("ollama")
    }

    /// One version of the engine.
    pub fn engine(&self, version: &str) -> PathBuf {
        self.engines().join(version)
    }

    /// The engine's `HOME`, so that its key and history stay here.
    pub fn engine_home(&self) -> PathBuf {
        self.engines().join("home")
    }

    /// Our programs that the system calls.
    pub fn programs(&self) -> PathBuf {
        self.home.join("bin")
    }

    /// The script that puts our programs on `PATH`, sourced by profile files of shells.
    pub fn shell_environment(&self) -> PathBuf {
        self.home.join("env")
    }

    /// Manual pages. `man` looks into the folder beside each one of `PATH`.
    pub fn manual_pages(&self) -> PathBuf {
        self.home.join("share/man/man1")
    }

    /// Models, unless the user picked another folder.
    pub fn models(&self) -> PathBuf {
        self.home.join("models")
    }

    /// Where the engine stores the layers of a models folder. We create and record it if it is missing, so that a folder
    /// that was empty before is known to be only ours.
    pub fn blobs(models_dir: &Path) -> PathBuf {
        models_dir.join("blobs")
    }

    /// Logs.
    pub fn logs(&self) -> PathBuf {
        self.home.join("logs")
    }

    /// Log of our programs.
    pub fn log(&self) -> PathBuf {
        self.logs().join("acolyte.log")
    }

    /// The rotated log.
    pub fn old_log(&self) -> PathBuf {
        self.logs().join("acolyte.log.old")
    }

    /// Prefix of a crash report's file name.
    pub const CRASH_REPORT_PREFIX: &str = "acolyte-crash-";

    /// Log of the private server.
    pub fn server_log(&self) -> PathBuf {
        self.logs().join("server.log")
    }
}
