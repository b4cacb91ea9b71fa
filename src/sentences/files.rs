//! Sentences about failed file operations.

use crate::platform::files::{FileCause, FileError, FileOperation, HeldFile};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl FileError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        let path = UntrustedText::path(&self.path);
        let problem = UntrustedText::from(self.source.to_string());
        let what = match self.operation {
            FileOperation::Read => say!(text, "install-file-read", path = path, problem = problem),
            FileOperation::Write => say!(text, "install-file-write", path = path, problem = problem),
            FileOperation::Create => say!(text, "install-file-create", path = path, problem = problem),
            FileOperation::Rename => say!(text, "install-file-rename", path = path, problem = problem),
            FileOperation::Remove => say!(text, "install-file-remove", path = path, problem = problem),
        };
        match self.cause.advice(text) {
            Some(advice) => format!("{what} {advice}"),
            None => what,
        }
    }
}

impl HeldFile {
    /// What is waited for.
    pub fn explain(&self, text: Text) -> String {
        let path = UntrustedText::path(&self.path);
        match program_names(&self.programs) {
            Some(by) => say!(text, "file-held-by", path = path, by = by),
            None => say!(text, "file-held", path = path),
        }
    }
}

/// Names of programs, which they chose themselves; `None` if none is known.
fn program_names(programs: &[String]) -> Option<UntrustedText> {
    (!programs.is_empty()).then(|| UntrustedText::from(programs.join(", ")))
}

impl FileCause {
    /// What it means and what to do; `None` where the system's message is all that is known.
    pub fn advice(&self, text: Text) -> Option<String> {
        Some(match self {
            Self::Permission => say!(text, "file-cause-permission"),
            Self::NotPermitted => say!(text, "file-cause-not-permitted"),
            Self::ReadOnly => say!(text, "file-cause-read-only"),
            Self::Unsupported => say!(text, "file-cause-unsupported"),
            Self::NoLocks => say!(text, "file-cause-no-locks"),
            Self::Busy { programs } => match program_names(programs) {
                Some(by) => say!(text, "file-cause-busy-by", by = by),
                None => say!(text, "file-cause-busy"),
            },
            Self::FolderInUse => say!(text, "file-cause-folder-in-use"),
            Self::NameTooLong => say!(text, "file-cause-name-too-long"),
            Self::TooLarge => say!(text, "file-cause-too-large"),
            Self::Quota => say!(text, "file-cause-quota"),
            Self::DriveFull => say!(text, "file-cause-drive-full"),
            Self::DriveFault => say!(text, "file-cause-drive-fault"),
            Self::Disconnected => say!(text, "file-cause-disconnected"),
            Self::DanglingLink { link, target } => say!(
                text,
                "file-cause-dangling-link",
                link = UntrustedText::path(link),
                target = UntrustedText::path(target)
            ),
            Self::LinkLoop => say!(text, "file-cause-link-loop"),
            Self::NotAFolder => say!(text, "file-cause-not-a-folder"),
            Self::Missing => say!(text, "file-cause-missing"),
            Self::TooManyOpenFiles => say!(text, "file-cause-too-many-open-files"),
            Self::Other => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::platform::files;
    use crate::text::{Language, Text};

    /// Regression test: a failed read was reported as a failed write.
    #[test]
    fn the_sentence_names_the_operation_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let errors = [
            ("read", std::fs::read(&missing).map_err(files::reading(&missing)).unwrap_err()),
            ("written", files::write_whole(&missing.join("x"), b"").unwrap_err()),
            ("created", files::create_folders(&file(folder.path()).join("x")).unwrap_err()),
            ("removed", files::remove_file(folder.path()).unwrap_err()),
            (
                "renamed",
                std::fs::rename(&missing, folder.path()).map_err(files::renaming(&missing)).unwrap_err(),
            ),
        ];
        let mut spanish = Vec::new();
        for (word, error) in errors {
            let english = error.explain(Text::new(Language::English));
            assert!(english.contains(&format!("cannot be {word}")), "{english}");
            let sentence = error.explain(Text::new(Language::Spanish));
            spanish.push(sentence.split(" /").next().unwrap_or_default().to_owned());
        }
        spanish.sort();
        spanish.dedup();
        assert_eq!(spanish.len(), 5, "{spanish:?}");
    }

    fn file(folder: &std::path::Path) -> std::path::PathBuf {
        let file = folder.join("file");
        std::fs::write(&file, "").unwrap();
        file
    }
}
