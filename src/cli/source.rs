//! Where the engine comes from, as the options say it.

use std::path::absolute;

use crate::cli::args::{SourceArgs, WhichOllama};
use crate::cli::{Failure, Session, model};
use crate::install::reuse::installed_engine;
use crate::install::{EngineChoice, EngineSource, Paths};
use crate::machine::Hardware;
use crate::ollama::release::Release;
use crate::ollama::release::newest::newest;
use crate::say;

/// What the options say, with the engine that is here or the newest one looked for where they want that. Where the newest
/// one cannot be found the pinned one is taken, and that is said.
///
/// # Errors
/// When an option is wrong.
pub fn of(args: &SourceArgs, hardware: &Hardware, session: &Session) -> Result<EngineSource, Failure> {
    let mut source = without_looking(args, session)?;
    let text = session.text;
    match args.ollama {
        WhichOllama::Newest => {
            session.tell(&say!(text, "newest-asking"));
            match newest(&source.mirrors, &source.http) {
                Ok(release) => source.choice = EngineChoice::Newest(Box::new(release)),
                Err(error) => {
                    let version = source.choice.version().unwrap_or_default();
                    let why = error.explain(text);
                    // Also with --quiet: something else is installed than was asked for.
                    eprintln!("{}", say!(text, "newest-not-found", why = why, version = version));
                }
            }
        }
        WhichOllama::Auto if may_reuse(args) => {
            let ours = Paths::new(&session.home).engines();
            let minimum = Release::built_in().version.clone();
            if let Some(engine) = installed_engine(&hardware.engines, &minimum, &ours) {
                source.choice = EngineChoice::Installed(engine);
            }
        }
        WhichOllama::Auto | WhichOllama::Pinned => {}
    }
    Ok(source)
}

/// What the options say by themselves.
///
/// # Errors
/// When one is wrong.
pub fn without_looking(args: &SourceArgs, session: &Session) -> Result<EngineSource, Failure> {
    Ok(EngineSource {
        choice: args.release.clone().map_or(EngineChoice::Pinned, EngineChoice::Listed),
        mirrors: args.mirror.clone(),
        archives: args.archive.iter().map(|path| absolute(path).unwrap_or_else(|_| path.clone())).collect(),
        http: model::http_options(&args.network, session)?,
        max_bytes_per_s: args.limit_rate,
    })
}

/// Whether an engine that is here may be used: not where the user named another one, or where to get it.
pub fn may_reuse(args: &SourceArgs) -> bool {
    args.ollama == WhichOllama::Auto
        && args.release.is_none()
        && args.mirror.is_empty()
        && args.archive.is_empty()
}

/// Whether nothing was said about where the engine comes from.
pub fn is_unsaid(args: &SourceArgs) -> bool {
    may_reuse(args) && args.network.proxy.is_none() && args.network.ca.is_none() && args.limit_rate.is_none()
}

/// Says what was said for an earlier installation. A proxy's password was not kept and must be said again.
pub fn say_again(args: &mut SourceArgs, source: EngineSource) {
    match source.choice {
        EngineChoice::Pinned => args.ollama = WhichOllama::Pinned,
        EngineChoice::Listed(path) => args.release = Some(path),
        EngineChoice::Newest(_) => args.ollama = WhichOllama::Newest,
        EngineChoice::Installed(_) => args.ollama = WhichOllama::Auto,
    }
    args.mirror = source.mirrors;
    args.archive = source.archives;
    args.network.proxy = source.http.proxy.map(|proxy| proxy.to_string());
    args.network.ca = source.http.ca_file;
    args.limit_rate = source.max_bytes_per_s;
}
