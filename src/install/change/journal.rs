//! The journal: every change, recorded before it is applied.
//!
//! One JSON object per line, append-only, synced to disk before the change begins. `intent` without `done` is an
//! interrupted change: it may have been applied in part, so it is reverted like a complete one. A truncated last line is
//! ignored; its change had not begun.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Change;
use super::bounds::Bounds;
use crate::install::Paths;
use crate::install::state::documents::{DocumentError, foreign, read_trusted};
use crate::install::state::home;
use crate::platform::clock::rfc3339_now;
use crate::platform::files::{self, FileError, reading, writing};
use crate::platform::ownership;

/// Larger than any journal: a line takes some 300 bytes, an installation some 30 lines.
const MAX_BYTES: u64 = 64 << 20;

/// What a line records about a run or a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// An installation began.
    Begin,
    /// The change is about to be applied.
    Intent,
    /// It was applied.
    Done,
    /// Everything since the last `End` was reverted.
    Undone,
    /// The installation succeeded.
    End,
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// When, RFC 3339.
    pub at: String,
    /// What the line says.
    pub phase: Phase,
    /// The change, for `Intent` and `Done`.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// The open journal of one home.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: std::fs::File,
    entries: Vec<JournalEntry>,
}

impl Journal {
    /// Reads the journal of a home and opens it to append. Its folder must exist.
    ///
    /// # Errors
    /// As [`Journal::read`], and when it cannot be written.
    pub fn open(paths: &Paths) -> Result<Self, DocumentError> {
        let path = &paths.journal();
        // Read, and refused if necessary, before anything is written.
        let entries = Self::read(paths)?;
        let is_new = !path.exists();
        let mut file = files::open_to_append(path)?;
        ownership::require_own_open_file(&file, path)?;
        if is_new {
            files::sync_folder_of(path);
        }
        if !ends_with_a_line(&mut file).map_err(reading(path))? {
            // End a truncated line, so that the next one stays readable.
            file.write_all(b"\n").map_err(writing(path))?;
        }
        Ok(Self { path: path.to_owned(), file, entries })
    }

    /// Reads the journal of a home without opening it to append; a missing one is empty. Checks every path in it, because
    /// callers may revert its changes.
    ///
    /// # Errors
    /// When it cannot be read, others own it or can change it, or it names a path that is not ours.
    pub fn read(paths: &Paths) -> Result<Vec<JournalEntry>, DocumentError> {
        home::require_ours(paths)?;
        let path = paths.journal();
        let Some(bytes) = read_trusted(&path, MAX_BYTES)? else { return Ok(Vec::new()) };
        let entries = parse(&bytes);
        let changes = changes(&entries);
        if !changes.is_empty() {
            let bounds = Bounds::of(paths, &changes)?;
            for change in &changes {
                bounds.check(change).map_err(|foreign_path| foreign(&path, &foreign_path))?;
            }
        }
        Ok(entries)
    }

    /// All lines so far.
    pub fn entries(&self) -> &[JournalEntry] {
        &self.entries
    }

    /// An installation begins.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&mut self) -> Result<(), FileError> {
        self.add(Phase::Begin, None)
    }

    /// The installation succeeded.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(&mut self) -> Result<(), FileError> {
        self.add(Phase::End, None)
    }

    /// The unfinished runs were reverted.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn undone(&mut self) -> Result<(), FileError> {
        self.add(Phase::Undone, None)
    }

    /// Announces a change.
    ///
    /// # Errors
    /// When it cannot be written; then the change must not be applied.
    pub fn intend(&mut self, change: Change) -> Result<(), FileError> {
        self.add(Phase::Intent, Some(change))
    }

    /// Records that a change was applied.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn done(&mut self, change: Change) -> Result<(), FileError> {
        self.add(Phase::Done, Some(change))
    }

    /// Announces a change and applies it: a folder, or a backup of an engine.
    ///
    /// # Errors
    /// When it cannot be written or applied.
    pub fn apply(&mut self, change: Change) -> Result<(), FileError> {
        self.intend(change.clone())?;
        change.apply()
    }

    /// Creates a folder with its missing parents; announces each.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create_folder(&mut self, path: &Path) -> Result<(), FileError> {
        for folder in files::missing_folders(path) {
            self.intend(Change::CreateFolder { path: folder })?;
        }
        Change::CreateFolder { path: path.to_owned() }.apply()
    }

    /// Writes one of our documents; announces it once.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_file(&mut self, path: &Path, contents: &[u8]) -> Result<(), FileError> {
        let change = Change::WriteFile { path: path.to_owned() };
        if !self.entries.iter().any(|entry| entry.change.as_ref() == Some(&change)) {
            self.intend(change)?;
        }
        files::write_whole(path, contents)
    }

    fn add(&mut self, phase: Phase, change: Option<Change>) -> Result<(), FileError> {
        let entry = JournalEntry { at: rfc3339_now(), phase, change };
        let mut line = serde_json::to_vec(&entry).map_err(|error| writing(&self.path)(error.into()))?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .and_then(|()| files::sync_data(&self.file))
            .map_err(writing(&self.path))?;
        self.entries.push(entry);
        Ok(())
    }
}

/// Whether a file is empty or its last byte ends a line.
fn ends_with_a_line(file: &mut std::fs::File) -> std::io::Result<bool> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last == [b'\n'])
}

/// Whether the last installation neither succeeded nor was undone.
pub fn unfinished(entries: &[JournalEntry]) -> bool {
    let last = |wanted: &[Phase]| entries.iter().rposition(|entry| wanted.contains(&entry.phase));
    let over = last(&[Phase::End, Phase::Undone]);
    last(&[Phase::Begin]).is_some_and(|begin| over.is_none_or(|over| over < begin))
}

/// Whether a run since the last successful one completed this change.
pub fn was_completed(entries: &[JournalEntry], change: &Change) -> bool {
    open(entries).iter().any(|entry| entry.phase == Phase::Done && entry.change.as_ref() == Some(change))
}

/// The changes of runs since the last successful one, each once, in the order of announcement, with whether it was
/// completed.
pub fn open_changes(entries: &[JournalEntry]) -> Vec<(Change, bool)> {
    let changes = changes(open(entries));
    changes.into_iter().map(|change| (change.clone(), was_completed(entries, &change))).collect()
}

/// The lines since the last installation succeeded or was undone.
fn open(entries: &[JournalEntry]) -> &[JournalEntry] {
    let over = entries.iter().rposition(|entry| matches!(entry.phase, Phase::End | Phase::Undone));
    &entries[over.map_or(0, |over| over + 1)..]
}

/// Every change that was or may have been applied, each once, in the order of announcement.
pub fn changes(entries: &[JournalEntry]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for entry in in_effect(entries) {
        if let Some(change) = entry.change.as_ref().filter(|change| !changes.contains(change)) {
            changes.push(change.clone());
        }
    }
    changes
}

/// The lines without those of runs that were undone.
fn in_effect(entries: &[JournalEntry]) -> Vec<&JournalEntry> {
    let (mut kept, mut succeeded) = (Vec::new(), 0);
    for entry in entries {
        match entry.phase {
            Phase::Undone => kept.truncate(succeeded),
            Phase::End => {
                kept.push(entry);
                succeeded = kept.len();
            }
            Phase::Begin | Phase::Intent | Phase::Done => kept.push(entry),
        }
    }
    kept
}

/// Skips unreadable lines: the last one may be truncated, and the others must still be reverted.
pub fn parse(bytes: &[u8]) -> Vec<JournalEntry> {
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
    use crate::models::ModelTag;

    fn paths(folder: &tempfile::TempDir) -> Paths {
        let paths = Paths::new(folder.path());
        files::create_folders(&paths.llm()).unwrap();
        paths
    }

    #[test]
    fn announced_changes_survive_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let paths = paths(&folder);
        let path = paths.journal();
        let pull = Change::PullModel { tag: ModelTag::parse("a:b").unwrap(), models_dir: "/m".into() };
        {
            let mut journal = Journal::open(&paths).unwrap();
            assert!(!unfinished(journal.entries()));
            journal.begin().unwrap();
            journal.create_folder(&folder.path().join("x/y")).unwrap();
            journal.intend(pull.clone()).unwrap();
            // Dropped here, as if the program crashed during the pull.
        }
        std::fs::write(&path, [std::fs::read(&path).unwrap(), b"{\"at\":\"2026".to_vec()].concat()).unwrap();
        let mut journal = Journal::open(&paths).unwrap();
        assert!(unfinished(journal.entries()));
        let folders = ["x", "x/y"].map(|part| Change::CreateFolder { path: folder.path().join(part) });
        assert_eq!(changes(journal.entries()), [folders[0].clone(), folders[1].clone(), pull.clone()]);
        journal.done(pull).unwrap();
        journal.end().unwrap();
        let entries = Journal::read(&paths).unwrap();
        assert_eq!(entries, journal.entries(), "the truncated line does not swallow the next one");
        assert!(!unfinished(&entries));
    }

    #[test]
    fn open_changes_are_those_since_the_last_success() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&paths(&folder)).unwrap();
        let server = |port| Change::StartServer { port };
        journal.begin().unwrap();
        journal.intend(server(1)).unwrap();
        assert_eq!(open_changes(journal.entries()), [(server(1), false)]);
        journal.end().unwrap();
        assert_eq!(open_changes(journal.entries()), []);
        journal.begin().unwrap();
        journal.intend(server(1)).unwrap();
        journal.intend(server(2)).unwrap();
        journal.done(server(2)).unwrap();
        journal.begin().unwrap();
        journal.intend(server(3)).unwrap();
        let open = [(server(1), false), (server(2), true), (server(3), false)];
        assert_eq!(open_changes(journal.entries()), open, "an interrupted run's changes are open as well");
        assert!(
            was_completed(journal.entries(), &server(2)) && !was_completed(journal.entries(), &server(1))
        );
        journal.undone().unwrap();
        assert!(!unfinished(journal.entries()));
        assert_eq!(open_changes(journal.entries()), []);
        journal.begin().unwrap();
        assert!(unfinished(journal.entries()));
    }

    #[test]
    fn a_file_is_announced_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&paths(&folder)).unwrap();
        let file = folder.path().join("f");
        journal.write_file(&file, b"1").unwrap();
        journal.write_file(&file, b"2").unwrap();
        assert_eq!((journal.entries().len(), std::fs::read(&file).unwrap()), (1, b"2".to_vec()));
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_parsed(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..400) {
            let good = serde_json::to_vec(&JournalEntry {
                at: rfc3339_now(), phase: Phase::Intent, change: Some(Change::StartServer { port: 1 }),
            }).unwrap();
            let mut all = [good.clone(), b"\n".to_vec(), bytes].concat();
            all.truncate(cut.max(good.len() + 1));
            let first = changes(&parse(&all)).swap_remove(0);
            prop_assert_eq!(first, Change::StartServer { port: 1 });
        }
    }
}
