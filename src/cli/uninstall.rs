//! `acolyte uninstall`: shows what will be removed, asks, and removes it.

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::UninstallArgs;
use crate::cli::ask::{agrees, confirm};
use crate::cli::output::print_json;
use crate::cli::{Failure, Session};
use crate::control::Control;
use crate::install::InstallError;
use crate::install::manage::uninstall::{Removal, Uninstalled, preview, uninstall};
use crate::say;
use crate::untrusted::UntrustedText;

/// Runs the command.
///
/// # Errors
/// When nothing is installed (unless that counts as success), another installer is running, or something cannot be removed.
pub fn run(args: &UninstallArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let explain = |error: InstallError| Failure::of_install(error, text);
    let removal = match preview(&session.home) {
        Err(error @ InstallError::NotInstalled { .. }) if args.if_installed => {
            session.tell(&error.explain(text));
            return finish(args, &Removal::default(), args.keep_models, None);
        }
        removal => removal.map_err(explain)?,
    };
    let mut keep_models = args.keep_models;
    if !args.json {
        session.tell(&summary(&removal, keep_models, session));
    }
    if args.dry_run {
        return finish(args, &removal, keep_models, None);
    }
    if !agrees(args.yes, &say!(text, "install-cli-ask-uninstall"), session)? {
        return Ok(1);
    }
    // Models are large and slow to fetch again, so there is a separate question for them.
    if !args.yes && !keep_models && !removal.models.is_empty() {
        keep_models = !confirm(&say!(text, "install-cli-ask-models"), session)?;
    }
    let removed = uninstall(&session.home, keep_models, &Control::new()).map_err(explain)?;
    session.tell(&say!(text, "install-cli-uninstalled"));
    for folder in &removed.kept_models {
        session.tell(&say!(text, "install-cli-kept", path = UntrustedText::path(folder)));
    }
    for path in &removed.left {
        session.tell(&say!(text, "install-cli-left", path = UntrustedText::path(path)));
    }
    finish(args, &removal, keep_models, Some(&removed))
}

/// What `acolyte uninstall --json` prints.
#[derive(Serialize)]
struct UninstallJson<'a> {
    schema: u32,
    /// Whether models are kept.
    keep_models: bool,
    /// What is removed.
    removal: &'a Removal,
    /// What was left; `None` for a dry run.
    removed: Option<&'a Uninstalled>,
}

fn finish(
    args: &UninstallArgs,
    removal: &Removal,
    keep_models: bool,
    removed: Option<&Uninstalled>,
) -> Result<u8, Failure> {
    if args.json {
        print_json(&UninstallJson { schema: SCHEMA, keep_models, removal, removed })?;
    }
    Ok(0)
}

fn summary(removal: &Removal, keep_models: bool, session: &Session) -> String {
    let text = session.text;
    let mut lines = vec![say!(text, "install-cli-will-remove", home = UntrustedText::path(&session.home))];
    lines.extend(removal.lines(keep_models, text).iter().map(|line| format!("- {line}")));
    lines.join("\n")
}
