//! Everything we change on the machine, written down before it is done.
//!
//! One JSON object a line, only ever added to, forced to the disk before the change begins. `intent` without `done`
//! is a change that was cut short: it may have happened, in part. Whoever undoes takes both. A last line that was cut
//! by a crash is no line; the change it announced had not begun.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::platform::files::{self, FileError, reading, writing};

/// Something we change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A folder that was not there.
    CreateFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file of ours.
    WriteFile {
        /// The file.
        path: PathBuf,
    },
    /// An archive, and its unfinished parts beside it (`NAME.*`).
    Download {
        /// The archive.
        path: PathBuf,
    },
    /// The engine.
    UnpackEngine {
        /// Its version.
        version: String,
        /// Where it goes.
        path: PathBuf,
        /// Where it is unpacked before.
        staging: PathBuf,
    },
    /// The private server.
    StartServer {
        /// Its port.
        port: u16,
    },
    /// A model that was not there.
    PullModel {
        /// Its tag.
        tag: String,
        /// Folder of the models.
        models_dir: PathBuf,
    },
    /// A model made of another one.
    CreateModel {
        /// Its name.
        name: String,
        /// Folder of the models.
        models_dir: PathBuf,
    },
    /// The server's entry among the things started at login.
    StartAtLogin,
    /// An engine of the same version that another build takes the place of, until that one has answered.
    SetAside {
        /// Its folder.
        path: PathBuf,
        /// Where it waits.
        aside: PathBuf,
    },
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// An installation began.
    Begin,
    /// The change is about to be made.
    Intent,
    /// It was made.
    Done,
    /// Everything since the last run that ended well was taken back.
    Undone,
    /// The installation ended well.
    End,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, RFC 3339.
    pub at: String,
    /// Where the run is.
    pub phase: Phase,
    /// What is changed.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// The open journal of one home.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: std::fs::File,
    entries: Vec<Entry>,
}

impl Journal {
    /// Reads the journal and opens it for more. Its folder must exist.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let is_new = !path.exists();
        let mut file = files::open_to_append(path)?;
        if is_new {
            files::sync_folder_of(path);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(reading(path))?;
        if bytes.last().is_some_and(|last| *last != b'\n') {
            // A line cut by a crash is closed, so that the next one stays readable.
            file.write_all(b"\n").map_err(writing(path))?;
        }
        Ok(Self { path: path.to_owned(), file, entries: parse(&bytes) })
    }

    /// Reads a journal without opening it for more; one that is not there is empty.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(path: &Path) -> Result<Vec<Entry>, FileError> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(parse(&bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(reading(path)(error)),
        }
    }

    /// All lines so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Begins an installation.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(&mut self) -> Result<(), FileError> {
        self.add(Phase::Begin, None)
    }

    /// Ends it well.
    ///
    /// # Errors
    /// What the system says.
    pub fn end(&mut self) -> Result<(), FileError> {
        self.add(Phase::End, None)
    }

    /// The unfinished runs were taken back.
    ///
    /// # Errors
    /// What the system says.
    pub fn undone(&mut self) -> Result<(), FileError> {
        self.add(Phase::Undone, None)
    }

    /// Writes down what is about to be changed.
    ///
    /// # Errors
    /// What the system says; then nothing may be changed.
    pub fn intend(&mut self, change: Change) -> Result<(), FileError> {
        self.add(Phase::Intent, Some(change))
    }

    /// Writes down that it was changed.
    ///
    /// # Errors
    /// What the system says.
    pub fn done(&mut self, change: Change) -> Result<(), FileError> {
        self.add(Phase::Done, Some(change))
    }

    /// Creates a folder, written ahead, with those of its parents that are missing.
    ///
    /// # Errors
    /// What the system says.
    pub fn create_folder(&mut self, path: &Path) -> Result<(), FileError> {
        for folder in files::missing_folders(path) {
            self.intend(Change::CreateFolder { path: folder })?;
        }
        files::create_folders(path).map(drop)
    }

    /// Writes a file of ours, written ahead.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_file(&mut self, path: &Path, contents: &[u8]) -> Result<(), FileError> {
        let change = Change::WriteFile { path: path.to_owned() };
        if !self.entries.iter().any(|entry| entry.change.as_ref() == Some(&change)) {
            self.intend(change)?;
        }
        files::write_whole(path, contents)
    }

    fn add(&mut self, phase: Phase, change: Option<Change>) -> Result<(), FileError> {
        let entry = Entry { at: now(), phase, change };
        let mut line = serde_json::to_vec(&entry).map_err(|error| writing(&self.path)(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(writing(&self.path))?;
        self.entries.push(entry);
        Ok(())
    }
}

/// Whether the last installation neither ended well nor was taken back.
pub fn unfinished(entries: &[Entry]) -> bool {
    let last = |wanted: &[Phase]| entries.iter().rposition(|entry| wanted.contains(&entry.phase));
    let over = last(&[Phase::End, Phase::Undone]);
    last(&[Phase::Begin]).is_some_and(|begin| over.is_none_or(|over| over < begin))
}

/// Whether a change was made, to its end, by a run that was cut short since the last one that ended well.
pub fn was_made(entries: &[Entry], change: &Change) -> bool {
    let over = entries.iter().rposition(|entry| matches!(entry.phase, Phase::End | Phase::Undone));
    let since = &entries[over.map_or(0, |over| over + 1)..];
    since.iter().any(|entry| entry.phase == Phase::Done && entry.change.as_ref() == Some(change))
}

/// What only the runs changed that were cut short since the last one that ended well, in the order it was announced.
pub fn unfinished_changes(entries: &[Entry]) -> Vec<Change> {
    let (mut standing, mut open): (Vec<&Change>, Vec<&Change>) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry.phase {
            Phase::Begin => {}
            Phase::End => standing.append(&mut open),
            Phase::Undone => open.clear(),
            Phase::Intent | Phase::Done => open.extend(entry.change.as_ref()),
        }
    }
    let mut changes: Vec<Change> = Vec::new();
    for change in open {
        if !standing.contains(&change) && !changes.contains(change) {
            changes.push(change.clone());
        }
    }
    changes
}

/// Everything that was or may have been changed, each once, in the order it was first announced.
pub fn changes(entries: &[Entry]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for entry in entries {
        if let Some(change) = entry.change.as_ref().filter(|change| !changes.contains(change)) {
            changes.push(change.clone());
        }
    }
    changes
}

/// Now, as RFC 3339 in UTC.
pub fn now() -> String {
    let now = time::OffsetDateTime::now_utc();
    now.replace_nanosecond(0)
        .unwrap_or(now)
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_else(|_| now.unix_timestamp().to_string())
}

/// Lines that are none are passed over: the last one may be cut, and nothing may keep us from undoing the others.
fn parse(bytes: &[u8]) -> Vec<Entry> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .filter_map(|line| match serde_json::from_slice(line) {
            Ok(entry) => Some(entry),
            Err(error) => {
                tracing::warn!(%error, "a line of the journal cannot be read");
                None
            }
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_announced_is_there_after_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let pull = Change::PullModel { tag: "a:b".to_owned(), models_dir: "/m".into() };
        {
            let mut journal = Journal::open(&path).unwrap();
            assert!(!unfinished(journal.entries()));
            journal.begin().unwrap();
            journal.create_folder(&folder.path().join("x/y")).unwrap();
            journal.intend(pull.clone()).unwrap();
            // Dropped here, as by a crash in the middle of the pull.
        }
        std::fs::write(&path, [std::fs::read(&path).unwrap(), b"{\"at\":\"2026".to_vec()].concat()).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        assert!(unfinished(journal.entries()));
        let folders = ["x", "x/y"].map(|part| Change::CreateFolder { path: folder.path().join(part) });
        assert_eq!(changes(journal.entries()), [folders[0].clone(), folders[1].clone(), pull.clone()]);
        journal.done(pull).unwrap();
        journal.end().unwrap();
        let entries = Journal::read(&path).unwrap();
        assert_eq!(entries, journal.entries(), "the cut line does not swallow the next one");
        assert!(!unfinished(&entries));
    }

    #[test]
    fn only_what_unfinished_runs_changed_is_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("journal")).unwrap();
        let server = |port| Change::StartServer { port };
        journal.begin().unwrap();
        journal.intend(server(1)).unwrap();
        assert_eq!(unfinished_changes(journal.entries()), [server(1)]);
        journal.end().unwrap();
        journal.begin().unwrap();
        journal.intend(server(1)).unwrap();
        journal.intend(server(2)).unwrap();
        journal.done(server(2)).unwrap();
        journal.begin().unwrap();
        journal.intend(server(3)).unwrap();
        assert_eq!(unfinished_changes(journal.entries()), [server(2), server(3)]);
        journal.undone().unwrap();
        assert!(!unfinished(journal.entries()));
        assert_eq!(unfinished_changes(journal.entries()), []);
        journal.begin().unwrap();
        journal.intend(server(2)).unwrap();
        assert!(unfinished(journal.entries()));
        assert_eq!(unfinished_changes(journal.entries()), [server(2)], "what was taken back is not standing");
    }

    #[test]
    fn a_file_is_announced_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("journal")).unwrap();
        let file = folder.path().join("f");
        journal.write_file(&file, b"1").unwrap();
        journal.write_file(&file, b"2").unwrap();
        assert_eq!((journal.entries().len(), std::fs::read(&file).unwrap()), (1, b"2".to_vec()));
    }

    proptest! {
        #[test]
        fn no_journal_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..400) {
            let good = serde_json::to_vec(&Entry {
                at: now(), phase: Phase::Intent, change: Some(Change::StartServer { port: 1 }),
            }).unwrap();
            let mut all = [good.clone(), b"\n".to_vec(), bytes].concat();
            all.truncate(cut.max(good.len() + 1));
            let first = changes(&parse(&all)).swap_remove(0);
            prop_assert_eq!(first, Change::StartServer { port: 1 });
        }
    }
}
