//! Turns the options about the engine's source into an [`EngineSource`].

use std::path::absolute;

use crate::cli::args::{OllamaChoice, SourceArgs};
use crate::cli::output::talk;
use crate::cli::{Failure, Session, model};
use crate::install::reuse::installed_engine;
use crate::install::{EngineChoice, EngineSource, Paths};
use crate::machine::Hardware;
use crate::ollama::release::Release;
use crate::ollama::release::newest::newest;
use crate::say;

/// The source named by the options. Looks for an installed engine or the newest release where they ask for that. If the
/// newest release cannot be found, the pinned one is used, with a message.
///
/// # Errors
/// When an option is wrong.
pub fn resolve(args: &SourceArgs, hardware: &Hardware, session: &Session) -> Result<EngineSource, Failure> {
    let mut source = from_options(args, session)?;
    let text = session.text;
    match args.ollama {
        OllamaChoice::Newest => {
            session.tell(&say!(text, "newest-asking"));
            match newest(&source.mirrors, &source.http) {
                Ok(release) => source.choice = EngineChoice::Newest(Box::new(release)),
                Err(error) => {
                    let version = source.choice.version().unwrap_or_default();
                    let why = error.explain(text);
                    // Printed even with --quiet: another version is installed than was requested.
                    talk(&say!(text, "newest-not-found", why = why, version = version));
                }
            }
        }
        OllamaChoice::Auto if may_reuse(args) => {
            let ours = Paths::new(&session.home).engines();
            let minimum = Release::built_in().version.clone();
            if let Some(engine) = installed_engine(&hardware.engines, &minimum, &ours) {
                source.choice = EngineChoice::Installed(engine);
            }
        }
        OllamaChoice::Auto | OllamaChoice::Pinned => {}
    }
    Ok(source)
}

/// The source named by the options, without looking for an installed engine or the newest release.
///
/// # Errors
/// When one is wrong.
pub fn from_options(args: &SourceArgs, session: &Session) -> Result<EngineSource, Failure> {
    model::warn_of_skipped_certificates(&args.network, session)?;
    Ok(EngineSource {
        choice: args.release.clone().map_or(EngineChoice::Pinned, EngineChoice::Listed),
        mirrors: args.mirror.clone(),
        archives: args.archive.iter().map(|path| absolute(path).unwrap_or_else(|_| path.clone())).collect(),
        http: model::http_options(&args.network, session)?,
        max_bytes_per_s: args.limit_rate,
    })
}

/// Whether an installed engine may be reused: not when the user named a release or a place to get it from.
pub fn may_reuse(args: &SourceArgs) -> bool {
    args.ollama == OllamaChoice::Auto
        && args.release.is_none()
        && args.mirror.is_empty()
        && args.archive.is_empty()
}

/// Whether no option about the source was given.
pub fn is_default(args: &SourceArgs) -> bool {
    may_reuse(args) && args.network.proxy.is_none() && args.network.ca.is_none() && args.limit_rate.is_none()
}

/// Sets the options to those of an earlier installation. A proxy's password was not saved and must be given again.
pub fn restore(args: &mut SourceArgs, source: EngineSource) {
    match source.choice {
        EngineChoice::Pinned => args.ollama = OllamaChoice::Pinned,
        EngineChoice::Listed(path) => args.release = Some(path),
        EngineChoice::Newest(_) | EngineChoice::Signed(_) => args.ollama = OllamaChoice::Newest,
        EngineChoice::Installed(_) => args.ollama = OllamaChoice::Auto,
    }
    args.mirror = source.mirrors;
    args.archive = source.archives;
    args.network.proxy = source.http.proxy.map(|proxy| proxy.to_string());
    args.network.ca = source.http.ca_file;
    args.limit_rate = source.max_bytes_per_s;
}
