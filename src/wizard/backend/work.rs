//! What single workers of the real backend do.

use std::path::Path;

use super::error::WorkerError;
use super::message::{AnswerFigures, HealthProblem, InstallationHealth, KnownUpdates, Message, Outbox};
use crate::control::Control;
use crate::install::keep::{OwnPrograms, ProgramKind};
use crate::install::manage::keep::keep;
use crate::install::manage::kept::Kept;
use crate::install::manage::{AnswerPart, ServedModel, installed};
use crate::install::updates::{UpdateSource, UpdatesFile, check_for_updates};
use crate::install::{InstallError, Paths, manage};
use crate::ollama::client::{ChatMessage, ChatOptions, ChatRole};
use crate::platform::clock::since_1970;
use crate::platform::files::reading;
use crate::platform::listening::Listener;

/// Maximum number of tokens of an answer on the result page.
const ANSWER_TOKENS: u32 = 1024;

/// Keeps this program, the window, with its twin beside it.
pub(super) fn keep_program(home: &Path, control: &Control) -> Result<Kept, WorkerError> {
    let unknown = |source| InstallError::File(reading(Path::new("own program"))(source));
    let programs = OwnPrograms::of_process(ProgramKind::Window).map_err(unknown)?;
    Ok(keep(home, &programs, control)?)
}

/// What is newer than what is installed. The network is asked if that is due, or `now`.
pub(super) fn look_for_updates(home: &Path, now: bool) -> Result<KnownUpdates, InstallError> {
    let paths = Paths::new(home);
    let installed = installed(home)?;
    let file = UpdatesFile::load(&paths)?;
    let updates = if now || file.is_due(since_1970().as_secs()) {
        check_for_updates(&paths, UpdateSource::built_in(), &Control::new())?
    } else {
        file.found.still_newer(&installed)
    };
    Ok(KnownUpdates { daily: file.daily, updates })
}

/// The health of an installation, as the Manage page shows it.
pub(super) fn health(found: manage::Health) -> InstallationHealth {
    let mut problems = Vec::new();
    if found.unfinished {
        problems.push(HealthProblem::InstallationUnfinished);
    }
    if found.running && found.version.is_none() && found.other_version.is_none() {
        problems.push(HealthProblem::ServerSilent);
    }
    problems.extend(
        found
            .orphans
            .iter()
            .map(|orphan| HealthProblem::OrphanedRunner { pid: orphan.pid, bytes: orphan.bytes() }),
    );
    if let Some(installed) = &found.installed {
        let port = installed.profile.port;
        match found.listener {
            Listener::Other(by) => problems.push(HealthProblem::PortTaken { port, by }),
            Listener::Unknown => problems.push(HealthProblem::ServerUnconfirmed { port }),
            Listener::Ours | Listener::Nobody => {}
        }
        if let Some(found) = found.other_version {
            let expected = installed.measured_version().into();
            problems.push(HealthProblem::OtherVersion { port, found, expected });
        }
    }
    match found.model {
        ServedModel::Changed => problems.push(HealthProblem::ModelChanged),
        ServedModel::Missing => problems.push(HealthProblem::ModelMissing),
        ServedModel::Unknown | ServedModel::AsMeasured => {}
    }
    if let (Some(installed), Some(loaded)) = (&found.installed, &found.loaded) {
        let promised_tokens = installed.profile.context_tokens;
        if (1..u64::from(promised_tokens)).contains(&loaded.context_length) {
            problems
                .push(HealthProblem::ContextReduced { promised_tokens, kept_tokens: loaded.context_length });
        }
    }
    InstallationHealth {
        running: found.running,
        engine_version: found.version.map(String::from),
        loaded_bytes: found.loaded.map(|loaded| loaded.size),
        problems,
    }
}

/// Streams an answer and measures it. Cancelled when the user leaves the page.
pub(super) fn ask_model(
    home: &Path,
    prompt: String,
    control: &Control,
    outbox: &Outbox,
) -> Result<AnswerFigures, WorkerError> {
    let messages = [ChatMessage { role: ChatRole::User, content: prompt }];
    let options = ChatOptions { num_predict: Some(ANSWER_TOKENS) };
    let answer = manage::answer(home, &messages, options, control, |part| {
        let (AnswerPart::Thinking(piece) | AnswerPart::Text(piece)) = part;
        outbox.send(Message::AnswerPart(piece.to_owned()));
    })?;
    Ok(AnswerFigures { tokens_per_s: answer.tokens_per_s, first_token_s: answer.first_token_s })
}
