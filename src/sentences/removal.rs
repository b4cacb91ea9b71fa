//! Sentences about what an uninstall removes.

use crate::install::manage::uninstall::Removal;
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

impl Removal {
    /// One line for each thing that is removed.
    pub fn lines(&self, keep_models: bool, text: Text) -> Vec<String> {
        let mut lines: Vec<String> =
            self.paths.iter().map(|path| UntrustedText::path(path).to_string()).collect();
        lines.extend(
            self.folders
                .iter()
                .map(|folder| say!(text, "removal-folder", path = UntrustedText::path(folder))),
        );
        if !keep_models {
            lines.extend(self.models.iter().map(|model| {
                let folder = UntrustedText::path(&model.models_dir);
                if model.bytes == 0 {
                    return say!(text, "removal-model-made", model = model.tag.shown(), folder = folder);
                }
                let size = text.file_size(model.bytes);
                say!(text, "removal-model", model = model.tag.shown(), folder = folder, size = size)
            }));
            if self.unfinished_model_bytes > 0 {
                let size = text.file_size(self.unfinished_model_bytes);
                lines.push(say!(text, "removal-unfinished", size = size));
            }
        }
        lines.extend(
            self.login_entries
                .iter()
                .map(|place| say!(text, "removal-login", place = UntrustedText::new(place))),
        );
        lines.extend(
            self.edited_files.iter().map(|path| say!(text, "removal-line", path = UntrustedText::path(path))),
        );
        lines.extend(self.user_path.then(|| say!(text, "removal-user-path")));
        lines.extend(self.installed_app.then(|| say!(text, "removal-installed-app")));
        if self.server_runs {
            lines.push(say!(text, "removal-server"));
        }
        lines
    }
}
