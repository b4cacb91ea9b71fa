//! `acolyte uninstall`: shows what will be removed, asks, and removes it.

use std::io::IsTerminal as _;

use crate::cli::args::UninstallArgs;
use crate::cli::ask::confirm;
use crate::cli::{Failure, Session};
use crate::control::Control;
use crate::install::InstallError;
use crate::install::manage::uninstall::{Removal, preview, uninstall};
use crate::models::ModelTag;
use crate::say;
use crate::untrusted::UntrustedText;

/// Runs the command.
///
/// # Errors
/// When nothing is installed, another installer is running, or something cannot be removed.
pub fn run(args: &UninstallArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let explain = |error: InstallError| Failure::of_install(error, text);
    let removal = preview(&session.home).map_err(explain)?;
    session.tell(&summary(&removal, args.keep_models, session));
    let mut keep_models = args.keep_models;
    if !args.yes {
        if !std::io::stdin().is_terminal() {
            return Err(Failure::usage(say!(text, "install-cli-cannot-ask")));
        }
        if !confirm(&say!(text, "install-cli-ask-uninstall"), session)? {
            return Ok(1);
        }
        // Ask separately about models, which take long to download again.
        if !keep_models && !removal.models.is_empty() {
            keep_models = !confirm(&say!(text, "install-cli-ask-models"), session)?;
        }
    }
    let removed = uninstall(&session.home, keep_models, &Control::new()).map_err(explain)?;
    session.tell(&say!(text, "install-cli-uninstalled"));
    for folder in &removed.kept_models {
        session.tell(&say!(text, "install-cli-kept", path = UntrustedText::path(folder)));
    }
    for path in &removed.left {
        session.tell(&say!(text, "install-cli-left", path = UntrustedText::path(path)));
    }
    Ok(0)
}

fn summary(removal: &Removal, keep_models: bool, session: &Session) -> String {
    let text = session.text;
    let mut lines = vec![say!(text, "install-cli-will-remove", home = UntrustedText::path(&session.home))];
    lines.extend(removal.paths.iter().map(|path| format!("- {}", UntrustedText::path(path))));
    if !keep_models {
        let line = |(tag, bytes): &(ModelTag, u64)| {
            say!(text, "install-cli-will-remove-model", model = tag.as_str(), size = text.file_size(*bytes))
        };
        lines.extend(removal.models.iter().map(line));
    }
    lines.join("\n")
}
