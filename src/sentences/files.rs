//! Sentences about failed file operations.

use crate::platform::files::{FileError, FileOperation};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl FileError {
    /// What happened and what to do.
    pub fn explain(&self, text: Text) -> String {
        let (path, cause) = (UntrustedText::path(&self.path), UntrustedText::from(self.source.to_string()));
        match self.operation {
            FileOperation::Read => say!(text, "install-file-read", path = path, cause = cause),
            FileOperation::Write => say!(text, "install-file-write", path = path, cause = cause),
            FileOperation::Create => say!(text, "install-file-create", path = path, cause = cause),
            FileOperation::Rename => say!(text, "install-file-rename", path = path, cause = cause),
            FileOperation::Remove => say!(text, "install-file-remove", path = path, cause = cause),
        }
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
