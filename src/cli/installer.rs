//! `acolyte-installer`: the window, and where none can be opened, the same steps in the terminal.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use crate::cli::args::{GlobalArgs, WhichOllama, WizardArgs};
use crate::cli::check::profiles_of;
use crate::cli::detect::hardware_of;
use crate::cli::{Failure, Session, model, prompts, source, startup};
use crate::wizard::{self, StartError, WizardOptions};
use crate::{platform, say};

/// Opens the window of the ACOLYTE installer; where none can be opened, asks in the terminal
#[derive(Debug, Parser)]
#[command(name = "acolyte-installer", version, max_term_width = 100)]
struct InstallerCli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(flatten)]
    wizard: WizardArgs,
}

/// Runs `acolyte-installer`.
pub fn main() -> ExitCode {
    startup::begin();
    platform::attach_console();
    let cli = InstallerCli::parse();
    let outcome = Session::new(&cli.global).and_then(|session| {
        startup::start_log(&session);
        run(&cli, &session)
    });
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.say(),
    }
}

fn run(cli: &InstallerCli, session: &Session) -> Result<u8, Failure> {
    let options = options(cli, session)?;
    match startup::crashes_only_logged(|| wizard::start(options)) {
        Ok(()) => Ok(0),
        Err(error) => {
            session.tell(&no_window(&error, session));
            prompts::run(&cli.wizard, session)
        }
    }
}

fn no_window(error: &StartError, session: &Session) -> String {
    let text = session.text;
    match error {
        StartError::NoDisplay(_) => say!(text, "cli-no-display"),
        StartError::NoRenderer(why) => say!(text, "cli-no-window", why = why.as_str()),
    }
}

/// Files are read before the window opens: a mistake in one is wrong usage, said where the command was typed.
fn options(cli: &InstallerCli, session: &Session) -> Result<WizardOptions, Failure> {
    let (source, plan) = (&cli.wizard.source, &cli.wizard.plan);
    let hardware = match &plan.hardware {
        Some(path) => Some(Arc::new(hardware_of(Some(path), session)?)),
        None => None,
    };
    let profiles = match &plan.profiles {
        Some(path) => Some(Arc::new(profiles_of(Some(path), session)?)),
        None => None,
    };
    let model = match &source.model {
        Some(reference) => {
            Some(model::resolve_to_install(reference, source.insecure_registry, &source.network, session)?)
        }
        None => None,
    };
    Ok(WizardOptions {
        home: session.home.clone(),
        source: source::without_looking(source, session)?,
        wants_newest: source.ollama == WhichOllama::Newest,
        may_reuse: source::may_reuse(source),
        model,
        insecure_registry: source.insecure_registry,
        language: cli.global.lang,
        hardware,
        profiles,
    })
}
