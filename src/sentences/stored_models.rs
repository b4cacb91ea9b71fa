//! Models on the drive in words.

use crate::install::KeptModel;
use crate::install::manage::{ModelOnDrive, ModelUse};
use crate::models::ModelTag;
use crate::say;
use crate::sentences::terminal_page::TerminalPage;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl ModelUse {
    /// What uses a model.
    pub fn words(self, text: Text) -> String {
        match self {
            Self::Served => say!(text, "models-served"),
            Self::Base => say!(text, "models-base"),
            Self::Nothing => say!(text, "models-unused"),
            Self::Others => say!(text, "models-others"),
        }
    }
}

impl KeptModel {
    /// Why this model stays.
    pub fn explain(self, model: &ModelTag, text: Text) -> String {
        let model = model.shown();
        match self {
            Self::Missing => say!(text, "models-missing", model = model),
            Self::InUse => say!(text, "models-in-use", model = model),
            Self::NotOurs => say!(text, "models-not-ours", model = model),
        }
    }
}

/// Every model with its size and what uses it. The table is wrapped at `columns`.
pub fn models_table(models: &[ModelOnDrive], text: Text, columns: Option<usize>) -> String {
    let mut page = TerminalPage::default();
    let mut rows = vec![vec![
        say!(text, "models-column-model"),
        say!(text, "models-column-size"),
        say!(text, "models-column-use"),
        say!(text, "models-column-folder"),
    ]];
    rows.extend(models.iter().map(|model| {
        vec![
            model.tag.shown().to_string(),
            text.file_size(model.bytes),
            model.used_by.words(text),
            UntrustedText::path(&model.models_dir).into(),
        ]
    }));
    page.table(rows, columns);
    page.into_text()
}
