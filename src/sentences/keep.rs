//! Sentences about keeping this program on the computer.

use crate::install::keep::{KeptAge, KeptFile, ProgramKind};
use crate::install::manage::keep::KeepPreview;
use crate::install::manage::kept::{Kept, SkipCause};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// Version of this program.
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

impl KeepPreview {
    /// What would be changed, one line each.
    pub fn lines(&self, text: Text) -> Vec<String> {
        if let Some(kept) = &self.newer_kept {
            return vec![say!(text, "keep-newer-kept", kept = UntrustedText::new(kept), own = OWN_VERSION)];
        }
        let programs: Vec<&str> = self.programs.iter().map(|kind| kind.name()).collect();
        let folder = UntrustedText::path(&self.folder);
        let mut lines = vec![say!(text, "keep-will", programs = programs.join(", "), folder = folder)];
        lines.extend(self.changes(text).into_iter().map(|change| format!("- {change}")));
        lines
    }

    /// What would be changed outside of the home.
    pub fn changes(&self, text: Text) -> Vec<String> {
        let entry = self.menu_entry.iter();
        let entry = entry.map(|path| say!(text, "keep-will-menu", path = UntrustedText::path(path)));
        let files = self.profile_files.iter();
        let lines = files.map(|path| say!(text, "keep-will-line", path = UntrustedText::path(path)));
        let user_path = self.user_path.then(|| say!(text, "keep-will-user-path"));
        let listed = cfg!(windows).then(|| say!(text, "keep-will-listed"));
        let generated = say!(text, "keep-will-generated");
        entry.chain(lines).chain(user_path).chain(listed).chain([generated]).collect()
    }
}

impl Kept {
    /// What is kept, what was left alone and why.
    pub fn lines(&self, text: Text) -> Vec<String> {
        let folder = self.programs.iter().find_map(|program| program.path.parent());
        let folder = folder.map(UntrustedText::path).unwrap_or_default();
        let mut lines = vec![say!(text, "keep-done", version = self.version.as_str(), folder = folder)];
        if !self.profile_files.is_empty() {
            lines.push(say!(text, "keep-done-path"));
        }
        lines.extend(self.missing.map(|twin| match (twin, self.missing_is_kept) {
            (_, true) => say!(text, "keep-twin-kept", name = twin.name()),
            (ProgramKind::Terminal, false) => say!(text, "keep-twin-missing", name = twin.name()),
            (ProgramKind::Window, false) => say!(text, "keep-window-missing", name = twin.name()),
        }));
        for path in &self.generated {
            let shown = UntrustedText::path(path);
            lines.extend(match path.file_name().and_then(|name| name.to_str()) {
                Some("_acolyte") => Some(say!(text, "keep-zsh", path = shown)),
                Some("_acolyte.ps1") => Some(say!(text, "keep-powershell", path = shown)),
                _ => None,
            });
        }
        lines.extend(self.skipped.iter().map(|skipped| {
            let path = UntrustedText::path(&skipped.path);
            say!(text, "keep-skipped", path = path, cause = skipped.cause.explain(text))
        }));
        lines
    }
}

impl SkipCause {
    /// Why a file was left alone.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Foreign => say!(text, "keep-skip-foreign"),
            Self::Ownership(error) => error.explain(text),
            Self::Unrepresentable => say!(text, "keep-skip-unrepresentable"),
            Self::NotPrinted { message } => say!(text, "keep-skip-not-printed", message = message.as_str()),
        }
    }
}

impl KeptFile {
    /// That the kept copy is older or newer than this program; `None` if it is the same version.
    pub fn difference(&self, text: Text) -> Option<String> {
        let (kept, own) = (self.version.as_str(), OWN_VERSION);
        match self.age() {
            KeptAge::Older => Some(say!(text, "keep-newer-here", kept = kept, own = own)),
            KeptAge::Newer => Some(say!(text, "keep-older-here", kept = kept, own = own)),
            KeptAge::Same => None,
        }
    }
}
