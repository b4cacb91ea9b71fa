//! The terminal program: the same steps as the window, over the same library.
//!
//! Data goes to standard output, messages to standard error. A command returns its exit code or a [`Failure`], which is
//! printed once, here.

mod answers;
pub mod args;
mod ask;
mod bench;
pub mod check;
pub mod detect;
pub mod doctor;
pub mod estimate;
mod examples;
mod failure;
mod generated;
pub mod help;
pub mod install;
pub mod installer;
mod interrupt;
mod keep;
mod logs;
pub mod model;
mod models;
pub mod monitor;
pub mod output;
mod profiles;
mod progress;
pub mod prompts;
pub mod server;
mod session;
mod set;
mod source;
mod startup;
pub mod status;
pub mod tune;
pub mod undo;
pub mod uninstall;
mod update;
mod usage_error;
pub mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::install::keep::ProgramKind;
use crate::platform::files;
use crate::text::Language;

pub use args::{Cli, CliCommand};
pub use failure::Failure;
pub use session::Session;

/// Whether the window program was called by the name of the terminal program, by a link beside it.
pub fn is_called_as_terminal() -> bool {
    let called = crate::platform::environment::arguments().next().map(std::path::PathBuf::from);
    called.is_some_and(|path| path.file_name() == Some(ProgramKind::Terminal.file_name().as_ref()))
}

/// Runs `acolyte`: parses the command line, runs the command, prints its failure.
pub fn main() -> ExitCode {
    startup::begin();
    let arguments: Vec<OsString> = crate::platform::environment::arguments().collect();
    let cli: Cli = help::parse(&arguments);
    let session = match Session::new(&cli.global, ProgramKind::Terminal) {
        Ok(session) => session,
        Err(failure) => return failure.say(),
    };
    // Uninstall must not leave a new log behind.
    if !removes(cli.command.as_ref()) {
        startup::start_log(&session);
    }
    let text = session.text;
    files::on_wait(move |held| output::talk(&held.explain(text)));
    let outcome = match cli.command {
        None => print_help(session.text.language()),
        Some(command) => run(command, &session),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.say(),
    }
}

fn removes(command: Option<&CliCommand>) -> bool {
    match command {
        Some(CliCommand::Uninstall(_) | CliCommand::Undo(_)) => true,
        Some(CliCommand::Install(args)) => args.undo,
        _ => false,
    }
}

fn run(command: CliCommand, session: &Session) -> Result<u8, Failure> {
    match command {
        CliCommand::Detect(args) => detect::run(&args, session),
        CliCommand::Doctor(args) => doctor::run(&args, session),
        CliCommand::CheckRequirements(args) => check::run(&args, session),
        CliCommand::Profiles(args) => check::profiles(&args, session),
        CliCommand::Estimate(args) => estimate::run(&args, session),
        CliCommand::Install(args) => install::run(&args, session),
        CliCommand::Status(args) => status::run(&args, session),
        CliCommand::Ask(args) => answers::ask(&args, session),
        CliCommand::Chat(args) => answers::chat(&args, session),
        CliCommand::Start(args) => server::start(&args, session),
        CliCommand::Restart(args) => server::restart(&args, session),
        CliCommand::Stop(args) => server::stop(&args, session),
        CliCommand::Set(args) => set::run(&args, session),
        CliCommand::Models(args) => models::run(&args, session),
        CliCommand::Tune(args) => tune::run(&args, session),
        CliCommand::Bench(args) => bench::run(&args, session),
        CliCommand::Update(args) => update::run(&args, session),
        CliCommand::Undo(args) => undo::run(&args, session),
        CliCommand::Monitor(args) => monitor::run(&args, session),
        CliCommand::Logs(args) => logs::run(&args, session),
        CliCommand::Uninstall(args) => uninstall::run(&args, session),
        CliCommand::Wizard(args) => prompts::run(&args, session),
        CliCommand::Keep(args) => keep::run(&args, session),
        CliCommand::Completions(args) => generated::completions(&args, session),
        CliCommand::Man(args) => generated::man(&args, session),
    }
}

fn print_help(language: Language) -> Result<u8, Failure> {
    help::in_language(Cli::command(), language).print_help().map_err(|error| output::failure(&error))?;
    Ok(0)
}
