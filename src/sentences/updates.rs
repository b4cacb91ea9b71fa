//! Sentences about newer versions.

use crate::install::Installed;
use crate::install::updates::{
    EngineUpdate, ModelUpdate, ProgramUpdate, UpdateSourceError, Updates, Wordings,
};
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl Updates {
    /// A line for each thing that is newer: what it would change, and its size.
    pub fn lines(&self, installed: &Installed, text: Text) -> Vec<String> {
        let program = self.program.as_ref().map(|program| {
            format!(
                "{} {}",
                program.words(text),
                say!(text, "updates-program-where", page = program.page.as_str())
            )
        });
        let engine = self.engine.as_ref().map(|engine| engine.words(installed, text));
        let model = self.model.as_ref().map(|model| model.words(text));
        program.into_iter().chain(engine).chain(model).collect()
    }
}

impl ProgramUpdate {
    /// Both versions, what changes, the size.
    pub fn words(&self, text: Text) -> String {
        let (version, own) = (self.version.to_string(), env!("CARGO_PKG_VERSION"));
        let line = say!(text, "updates-program", version = version, own = own);
        with_changes(line, &self.changes, self.bytes, text)
    }
}

impl EngineUpdate {
    /// Both versions, what changes, the size.
    pub fn words(&self, installed: &Installed, text: Text) -> String {
        let installed = installed.profile.engine_version.as_str();
        let line = say!(text, "updates-engine", version = self.version.as_str(), installed = installed);
        with_changes(line, &self.changes, self.bytes, text)
    }
}

impl ModelUpdate {
    /// The tag, and the size.
    pub fn words(&self, text: Text) -> String {
        let line = say!(text, "updates-model", model = self.model.shown());
        with_changes(line, &Wordings::default(), Some(self.bytes), text)
    }
}

impl UpdateSourceError {
    /// Which file, and what is wrong.
    pub fn explain(&self, text: Text) -> String {
        let path = UntrustedText::path(&self.path);
        say!(text, "updates-source-invalid", path = path, problem = &self.problem)
    }
}

fn with_changes(line: String, changes: &Wordings, bytes: Option<u64>, text: Text) -> String {
    let changes = changes.in_language(text.language().tag()).map(|words| words.as_str().to_owned());
    let size = bytes.map(|bytes| say!(text, "updates-size", size = text.file_size(bytes)));
    [Some(line), changes, size].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
