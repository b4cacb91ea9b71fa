//! `acolyte keep`: keeps this program on the computer. Also at the end of `acolyte install`.

use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::{InstallArgs, KeepArgs};
use crate::cli::ask::agrees;
use crate::cli::interrupt::cancel_on_ctrl_c;
use crate::cli::output::print_json;
use crate::cli::{Failure, Session};
use crate::control::Control;
use crate::install::InstallError;
use crate::install::change::Change;
use crate::install::keep::OwnPrograms;
use crate::install::manage::keep::{KeepPreview, keep, preview_keep, remove_kept};
use crate::install::manage::kept::Kept;
use crate::say;

/// What `acolyte keep --json` prints.
#[derive(Serialize)]
struct KeepJson<'a> {
    schema: u32,
    /// What is kept.
    kept: &'a Kept,
}

/// What `acolyte keep --remove --json` prints.
#[derive(Serialize)]
struct RemovedJson<'a> {
    schema: u32,
    /// What was removed, as the journal had it.
    removed: &'a [Change],
}

/// Runs the command.
///
/// # Errors
/// When nothing is installed, a newer version is kept, or it cannot be kept.
pub fn run(args: &KeepArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    if args.remove {
        return remove(args, session);
    }
    let (programs, preview) = preview(session)?;
    for line in preview.lines(text) {
        session.tell(&line);
    }
    // A newer copy is refused without a question.
    let is_settled = args.yes || preview.newer_kept.is_some();
    if !agrees(is_settled, &say!(text, "keep-ask"), session)? {
        return Ok(1);
    }
    let kept = carry_out(&programs, session)?;
    if args.json {
        print_json(&KeepJson { schema: SCHEMA, kept: &kept })?;
    }
    Ok(0)
}

fn remove(args: &KeepArgs, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    if !agrees(args.yes, &say!(text, "keep-ask-remove"), session)? {
        return Ok(1);
    }
    let removed = remove_kept(&session.home).map_err(|error| Failure::of_install(error, text))?;
    if removed.is_empty() {
        session.tell(&say!(text, "keep-none"));
    }
    let (files, others): (Vec<&Change>, Vec<&Change>) =
        removed.iter().partition(|change| matches!(change, Change::PlaceFile { .. }));
    if !files.is_empty() {
        let count = u64::try_from(files.len()).unwrap_or(u64::MAX);
        session.tell(&say!(text, "keep-removed-files", count = count));
    }
    for change in others {
        session.tell(&say!(text, "keep-removed", what = change.words(text)));
    }
    if args.json {
        print_json(&RemovedJson { schema: SCHEMA, removed: &removed })?;
    }
    Ok(0)
}

/// What `acolyte install` keeps when it has succeeded; says so before the user is asked. `None` where it is not wanted.
/// Without a question nobody reads what changes in the user's files, so it is kept only if the command line says so.
///
/// # Errors
/// When what is kept cannot be read.
pub fn wanted(args: &InstallArgs, may_ask: bool, session: &Session) -> Result<Option<OwnPrograms>, Failure> {
    if args.no_keep || !args.keep && !may_ask {
        return Ok(None);
    }
    let (programs, preview) = preview(session)?;
    for line in preview.lines(session.text) {
        session.tell(&line);
    }
    if preview.newer_kept.is_some() {
        return Ok(None);
    }
    if !args.keep {
        session.tell(&say!(session.text, "keep-how-not"));
    }
    Ok(Some(programs))
}

/// Keeps the programs after an installation.
///
/// # Errors
/// When it cannot be kept: what was installed stays.
pub fn after_install(programs: &OwnPrograms, session: &Session) -> Result<(), Failure> {
    carry_out(programs, session).map(drop).map_err(|failure| {
        let cause = failure.message;
        Failure { message: say!(session.text, "keep-failed-after-install", cause = cause), ..failure }
    })
}

fn preview(session: &Session) -> Result<(OwnPrograms, KeepPreview), Failure> {
    let unknown = |error: std::io::Error| Failure::failed(error.to_string());
    let programs = OwnPrograms::of_process(session.program).map_err(unknown)?;
    let preview = preview_keep(&session.home, &programs);
    Ok((programs, preview.map_err(|error| Failure::of_install(error, session.text))?))
}

fn carry_out(programs: &OwnPrograms, session: &Session) -> Result<Kept, Failure> {
    let control = Control::new();
    cancel_on_ctrl_c(&control)?;
    let explain = |error: InstallError| Failure::of_install(error, session.text);
    let kept = keep(&session.home, programs, &control).map_err(explain)?;
    for line in kept.lines(session.text) {
        session.tell(&line);
    }
    Ok(kept)
}
