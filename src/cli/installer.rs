//! `acolyte-installer`: the window, or the same steps in the terminal where no window can be opened.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use crate::cli::args::{GlobalArgs, OllamaChoice, UninstallArgs, WizardArgs};
use crate::cli::detect::hardware_of;
use crate::cli::profiles::profiles_of;
use crate::cli::{Failure, Session, help, model, prompts, source, startup, uninstall};
use crate::install::keep::ProgramKind;
use crate::plan::Profiles;
use crate::sentences::ValueProblem;
use crate::wizard::{self, RendererChoice, Settings, StartError, WindowChild, WizardOptions};
use crate::{platform, say};

/// Open the window of the ACOLYTE installer, or ask in the terminal where no window can be opened
#[derive(Debug, Parser)]
#[command(name = "acolyte-installer", version, max_term_width = 100)]
pub(super) struct InstallerCli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(flatten)]
    wizard: WizardArgs,
    /// Renderer to try first: wgpu or glow; the other is the fallback (default: wgpu, or glow without a graphics card)
    #[arg(long, value_name = "NAME", value_parser = renderer)]
    renderer: Option<RendererChoice>,
    /// Ask at once whether to remove everything that was installed
    #[arg(long)]
    uninstall: bool,
}

fn renderer(name: &str) -> Result<RendererChoice, ValueProblem> {
    RendererChoice::from_option(name).ok_or(ValueProblem::Renderer)
}

/// Runs `acolyte-installer`.
pub fn main() -> ExitCode {
    startup::begin();
    // The window's process leaves it again once the window is shown.
    platform::attach_console();
    let mut arguments: Vec<OsString> = crate::platform::environment::arguments().collect();
    let child = WindowChild::from_arguments(&mut arguments);
    let cli: InstallerCli = help::parse(&arguments);
    let outcome = Session::new(&cli.global, ProgramKind::Window).and_then(|session| {
        startup::start_log(&session);
        match child {
            Some(child) => show(child, &cli, &session),
            None => run(&cli, &session, &arguments),
        }
    });
    outcome.map_or_else(|failure| failure.say(), ExitCode::from)
}

/// Runs in the child process that shows the window. A file that cannot be read is reported here, and the parent exits
/// too.
fn show(child: WindowChild, cli: &InstallerCli, session: &Session) -> Result<u8, Failure> {
    let options = options(cli, session).inspect_err(|failure| child.ended(failure.exit_code))?;
    let shown = startup::crashes_only_logged(|| child.show(&options));
    // The parent received the error and reports it.
    Ok(u8::from(shown.is_err()))
}

fn run(cli: &InstallerCli, session: &Session, arguments: &[OsString]) -> Result<u8, Failure> {
    let started = if wizard::OPENS_IN_CHILD {
        wizard::start(cli.renderer, arguments.get(1..).unwrap_or_default())
    } else {
        let options = options(cli, session)?;
        startup::crashes_only_logged(|| wizard::start_here(cli.renderer, &options)).map(|()| 0)
    };
    let error = match started {
        Ok(code) => return Ok(code),
        Err(error) => error,
    };
    let closes_with_us = platform::open_console();
    let outcome = without_window(&error, cli, session);
    if !closes_with_us {
        return outcome;
    }
    let code = outcome.unwrap_or_else(|failure| {
        failure.say();
        failure.exit_code
    });
    session.tell(&say!(session.text, "cli-press-enter"));
    // The window closes in any case.
    let _closing = std::io::stdin().read_line(&mut String::new());
    Ok(code)
}

/// Reports why there is no window, and continues in the terminal where possible.
fn without_window(error: &StartError, cli: &InstallerCli, session: &Session) -> Result<u8, Failure> {
    let text = session.text;
    match error {
        StartError::Stopped(why) => {
            return Err(Failure::failed(say!(text, "cli-window-stopped", why = why.as_str())));
        }
        StartError::NoDisplay => session.tell(&say!(text, "cli-no-display")),
        StartError::NoRenderer(why) => session.tell(&say!(text, "cli-no-window", why = why.as_str())),
    }
    if cli.uninstall {
        return uninstall::run(&UninstallArgs::default(), session);
    }
    prompts::run(&cli.wizard, session)
}

/// Reads the files before the window opens: an error in one is wrong usage, reported in the terminal.
fn options(cli: &InstallerCli, session: &Session) -> Result<WizardOptions, Failure> {
    let (source, plan) = (&cli.wizard.source, &cli.wizard.plan);
    let hardware = match &plan.hardware {
        Some(path) => Some(Arc::new(hardware_of(Some(path), session)?)),
        None => None,
    };
    let profiles = match &plan.profiles {
        Some(path) => Some(Arc::new(profiles_of(Some(path), session)?)),
        None => Some(profiles_of(None, session)?).filter(|own| own != Profiles::built_in()).map(Arc::new),
    };
    let model = model::own_model(source, None, session)?;
    Ok(WizardOptions {
        refresh_model: false,
        daily_updates: None,
        asks_to_remove: cli.uninstall,
        home: session.home.clone(),
        source: source::from_options(source, session)?,
        wants_newest: source.ollama == OllamaChoice::Newest,
        may_reuse: source::may_reuse(source),
        model,
        insecure_registry: source.insecure_registry,
        language: cli.global.lang,
        hardware,
        profiles,
        settings: Settings::load(&session.home),
    })
}
