//! `acolyte completions` and `acolyte man`: made from the definition of the commands, for packages and for a copy that
//! stays on this computer.

use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;
use serde::Serialize;

use crate::SCHEMA;
use crate::cli::args::{Cli, CompletionShell, CompletionsArgs, ManArgs};
use crate::cli::installer::InstallerCli;
use crate::cli::output::{failure, print_json, print_whole};
use crate::cli::{Failure, Session, help};
use crate::platform::files;

/// The program that completions are for.
const PROGRAM: &str = "acolyte";

/// What `acolyte completions SHELL --json` prints.
#[derive(Serialize)]
struct CompletionsJson {
    schema: u32,
    /// The name under which the shell finds it in its folder of completions.
    file_name: &'static str,
    script: String,
}

/// What `acolyte man --json` prints.
#[derive(Serialize)]
struct ManJson {
    schema: u32,
    /// Every page; without their text where they were written.
    pages: Vec<ManPage>,
}

/// The manual page of a command.
#[derive(Serialize)]
struct ManPage {
    /// Its file.
    file_name: String,
    /// Where it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    /// The page, in roff.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// Prints the completions of a shell, with descriptions in the user's language.
///
/// # Errors
/// When they cannot be printed.
pub fn completions(args: &CompletionsArgs, session: &Session) -> Result<u8, Failure> {
    let (shell, file_name) = match args.shell {
        CompletionShell::Bash => (Shell::Bash, "acolyte"),
        CompletionShell::Zsh => (Shell::Zsh, "_acolyte"),
        CompletionShell::Fish => (Shell::Fish, "acolyte.fish"),
        CompletionShell::PowerShell => (Shell::PowerShell, "_acolyte.ps1"),
    };
    let mut command = help::in_language(Cli::command(), session.text.language());
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, PROGRAM, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if args.json {
        print_json(&CompletionsJson { schema: SCHEMA, file_name, script })?;
    } else {
        print_whole(&script)?;
    }
    Ok(0)
}

/// Prints the manual page of the program, or writes those of all commands.
///
/// # Errors
/// When they cannot be printed or written.
pub fn man(args: &ManArgs, session: &Session) -> Result<u8, Failure> {
    let explain = |error| Failure::of_install(crate::install::InstallError::File(error), session.text);
    let mut pages = pages().map_err(|error| failure(&error))?;
    if let Some(folder) = &args.dir {
        files::create_folders(folder).map_err(explain)?;
        for page in &mut pages {
            let path = folder.join(&page.file_name);
            let text = page.text.take().unwrap_or_default();
            // Packages are read by everybody.
            files::write_named_for_all(&path, text.as_bytes()).map_err(explain)?;
            page.path = Some(path);
        }
    }
    if args.json {
        print_json(&ManJson { schema: SCHEMA, pages })?;
    } else if args.dir.is_none() {
        let page = pages.into_iter().find(|page| page.file_name == format!("{PROGRAM}.1"));
        print_whole(&page.and_then(|page| page.text).unwrap_or_default())?;
    }
    Ok(0)
}

/// The pages of both programs and of every command, in English: the headings of a manual page are.
fn pages() -> std::io::Result<Vec<ManPage>> {
    let mut commands = vec![Cli::command().disable_help_subcommand(true), InstallerCli::command()];
    let mut pages = Vec::new();
    while let Some(mut command) = commands.pop() {
        // Names the subcommands after the program: acolyte-install.
        command.build();
        commands.extend(command.get_subcommands().cloned());
        let man = Man::new(command).manual("ACOLYTE");
        let mut roff = Vec::new();
        man.render(&mut roff)?;
        let text = Some(String::from_utf8_lossy(&roff).into_owned());
        pages.push(ManPage { file_name: man.get_filename(), path: None, text });
    }
    pages.sort_by(|a, b| a.file_name.cmp(&b.file_name));
    Ok(pages)
}
