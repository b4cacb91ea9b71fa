//! `acolyte undo`: undoes an interrupted installation. Before any other installation, `offer` asks whether to resume or
//! undo it.

use std::path::PathBuf;

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::{InstallArgs, UndoArgs};
use crate::cli::ask::{agrees, answer_to, is_one_of};
use crate::cli::interrupt::cancel_on_ctrl_c;
use crate::cli::output::print_json;
use crate::cli::{Failure, Session};
use crate::control::Control;
use crate::install::manage::keep::revert_interrupted_keep;
use crate::install::manage::undo::{Undone, undo, unfinished_run};
use crate::install::{InstallError, ProfileFile, SavedRequest};
use crate::say;
use crate::sentences::profile_title;
use crate::untrusted::UntrustedText;

/// Runs the command.
///
/// # Errors
/// When no installation was interrupted, another installer is running, or something cannot be restored.
pub fn run(args: &UndoArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    let unfinished =
        unfinished_run(&session.home).map_err(|error| Failure::of_install(error, session.text))?;
    let Some(unfinished) = unfinished else {
        let nothing = InstallError::NothingToUndo { home: session.home.clone() };
        return Err(Failure::of_install(nothing, session.text));
    };
    session.tell(&unfinished.words(text));
    if !agrees(args.yes, &say!(text, "install-cli-ask-undo"), session)? {
        return Ok(1);
    }
    let undone = roll_back(session)?;
    if args.json {
        print_json(&UndoJson {
            schema: SCHEMA,
            profile: undone.active.as_ref().map(|installed| &installed.profile),
            left: &undone.removed.left,
        })?;
    } else {
        session.tell(&summary(&undone, session));
    }
    Ok(0)
}

/// What `acolyte undo --json` prints.
#[derive(Serialize)]
struct UndoJson<'a> {
    schema: u32,
    /// The installation that is restored; `None` if there was none before.
    profile: Option<&'a ProfileFile>,
    /// Files and folders that are not ours and stay.
    left: &'a [PathBuf],
}

/// What to do about an interrupted installation.
pub enum Interrupted {
    /// No installation was interrupted, or another one replaces it.
    None,
    /// Resume it with the choices made then.
    Resume(Box<SavedRequest>),
    /// It was undone, with this exit code.
    Undone(u8),
    /// The user chose neither for now.
    Later,
}

/// Offers to resume or undo an interrupted installation. Without a terminal it is resumed, unless the command line names
/// another one.
///
/// # Errors
/// When a document cannot be read, there is nothing to resume, or undoing fails.
pub fn offer(args: &InstallArgs, may_ask: bool, session: &Session) -> Result<Interrupted, Failure> {
    let text = session.text;
    let explain = |error: InstallError| Failure::of_install(error, text);
    revert_interrupted_keep(&session.home).map_err(explain)?;
    let unfinished = unfinished_run(&session.home).map_err(explain)?;
    let Some(unfinished) = unfinished else {
        let home = session.home.clone();
        if args.resume {
            return Err(Failure::of_install(InstallError::NothingToContinue { home }, session.text));
        }
        if args.undo {
            return Err(Failure::of_install(InstallError::NothingToUndo { home }, session.text));
        }
        return Ok(Interrupted::None);
    };
    if args.undo {
        return roll_back_and_tell(session);
    }
    session.tell(&unfinished.words(text));
    let names_model = args.source.model.is_some() || args.source.model_file.is_some();
    let names_another = args.profile.is_some() || names_model || args.emergency_cpu;
    if !may_ask || args.resume || args.yes {
        return match unfinished.request {
            Some(saved) if !names_another => Ok(Interrupted::Resume(Box::new(saved))),
            _ if args.resume => Err(Failure::failed(say!(text, "install-cli-no-saved-request"))),
            _ => Ok(Interrupted::None),
        };
    }
    let known = unfinished.request.filter(|_| !names_another);
    loop {
        let answer = answer_to(&say!(text, "install-cli-ask-unfinished"))?;
        let is = |words: String| is_one_of(&answer, &words);
        if is(say!(text, "install-cli-answer-continue")) {
            return Ok(known.map_or(Interrupted::None, |saved| Interrupted::Resume(Box::new(saved))));
        }
        if is(say!(text, "install-cli-answer-undo")) {
            return roll_back_and_tell(session);
        }
        if answer.is_empty() || is(say!(text, "install-cli-answer-later")) {
            return Ok(Interrupted::Later);
        }
    }
}

fn roll_back(session: &Session) -> Result<Undone, Failure> {
    let control = Control::new();
    cancel_on_ctrl_c(&control)?;
    undo(&session.home, &control).map_err(|error| Failure::of_install(error, session.text))
}

fn roll_back_and_tell(session: &Session) -> Result<Interrupted, Failure> {
    let undone = roll_back(session)?;
    session.tell(&summary(&undone, session));
    Ok(Interrupted::Undone(0))
}

fn summary(undone: &Undone, session: &Session) -> String {
    let text = session.text;
    let Some(installed) = &undone.active else {
        let mut lines = vec![say!(text, "install-cli-uninstalled")];
        lines.extend(
            undone
                .removed
                .left
                .iter()
                .map(|path| say!(text, "install-cli-left", path = UntrustedText::path(path))),
        );
        return lines.join("\n");
    };
    say!(text, "install-undone", profile = profile_title(&installed.profile.profile, text))
}
