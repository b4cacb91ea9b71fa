//! Follows the server's log while it grows, across rotations.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::log::old_log;
use crate::platform::{files, regular};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 64 << 10;
/// A line is cut at this length.
const MAX_LINE_BYTES: usize = 1 << 20;

/// A position in a log, from which new lines are read.
#[derive(Clone, Debug)]
pub struct LogFollower {
    log: PathBuf,
    position: u64,
    /// The start of a line whose end is not written yet.
    partial: Vec<u8>,
}

impl LogFollower {
    /// From the start of the log.
    pub fn from_start(log: &Path) -> Self {
        Self { log: log.to_owned(), position: 0, partial: Vec::new() }
    }

    /// From the present end of the log.
    pub fn from_end(log: &Path) -> Self {
        Self { position: files::length(log), ..Self::from_start(log) }
    }

    /// Passes the complete lines since the last call to `on_line`, in the text's own words: nothing is escaped. Returns
    /// whether anything was written. A log that is shorter than before was rotated: the rest of the old one comes first. A
    /// missing log has no lines.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn read(&mut self, mut on_line: impl FnMut(&str)) -> io::Result<bool> {
        let mut length = files::length(&self.log);
        if length == self.position {
            return Ok(false);
        }
        if length < self.position {
            let old = old_log(&self.log, 1);
            if files::length(&old) >= self.position {
                self.read_file(&old, &mut on_line)?;
            }
            (self.position, length) = (0, files::length(&self.log));
        }
        if length > 0 {
            self.read_file(&self.log.clone(), &mut on_line)?;
        }
        Ok(true)
    }

    /// The last line, if its end is not written yet.
    pub fn unfinished(&self) -> Option<String> {
        (!self.partial.is_empty()).then(|| String::from_utf8_lossy(&self.partial).into_owned())
    }

    fn read_file(&mut self, path: &Path, on_line: &mut impl FnMut(&str)) -> io::Result<()> {
        let mut file = regular::open(path)?;
        file.seek(SeekFrom::Start(self.position))?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            self.position += read as u64;
            self.take(&piece[..read], on_line);
        }
    }

    fn take(&mut self, mut piece: &[u8], on_line: &mut impl FnMut(&str)) {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(&piece[..end]);
            self.pass(on_line);
            piece = &piece[end + 1..];
        }
        self.partial.extend_from_slice(piece);
        if self.partial.len() > MAX_LINE_BYTES {
            self.pass(on_line);
        }
    }

    fn pass(&mut self, on_line: &mut impl FnMut(&str)) {
        on_line(String::from_utf8_lossy(&self.partial).trim_end_matches('\r'));
        self.partial.clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ollama::server::rotate_while_running;
    use std::fs::{File, OpenOptions};
    use std::io::Write as _;

    fn lines(follower: &mut LogFollower) -> Vec<String> {
        let mut lines = Vec::new();
        follower.read(|line| lines.push(line.to_owned())).unwrap();
        lines
    }

    fn append(log: &Path) -> File {
        OpenOptions::new().create(true).append(true).open(log).unwrap()
    }

    #[test]
    fn lines_come_once_and_only_when_they_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("server.log");
        let mut follower = LogFollower::from_start(&log);
        assert!(lines(&mut follower).is_empty(), "there is no log yet");
        append(&log).write_all(b"one\r\ntwo\nthr").unwrap();
        assert_eq!(lines(&mut follower), ["one", "two"]);
        assert!(!follower.read(|_| ()).unwrap());
        append(&log).write_all(b"ee\n").unwrap();
        assert_eq!(lines(&mut follower), ["three"]);
        let mut from_end = LogFollower::from_end(&log);
        append(&log).write_all(b"four\n").unwrap();
        assert_eq!(lines(&mut from_end), ["four"]);
    }

    #[test]
    fn no_line_is_lost_when_the_log_is_rotated_either_way() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("server.log");
        let long = "x".repeat(99);
        let fill = |log: &Path| {
            let whole = (super::super::log::ROTATE_AT_BYTES / 100 + 1) as usize;
            append(log).write_all(format!("{long}\n").repeat(whole).as_bytes()).unwrap();
        };
        fill(&log);
        let mut follower = LogFollower::from_start(&log);
        lines(&mut follower);
        append(&log).write_all(b"before\n").unwrap();
        rotate_while_running(&log).unwrap();
        append(&log).write_all(b"after\n").unwrap();
        assert_eq!(lines(&mut follower), ["before", "after"]);
        fill(&log);
        lines(&mut follower);
        append(&log).write_all(b"before\n").unwrap();
        super::super::log::rotate(&log).unwrap();
        append(&log).write_all(b"after\n").unwrap();
        assert_eq!(lines(&mut follower), ["before", "after"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("server.log");
        append(&log).write_all(&vec![b'x'; MAX_LINE_BYTES + PIECE_BYTES]).unwrap();
        let mut follower = LogFollower::from_start(&log);
        assert!(lines(&mut follower)[0].len() > MAX_LINE_BYTES);
        assert!(follower.partial.len() <= MAX_LINE_BYTES);
    }
}
