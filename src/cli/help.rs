//! Help of commands and options in the user's language.
//!
//! clap takes its English from the comments in [`super::args`]. Other languages are data, by command and option
//! (`assets/locales/LANGUAGE/help.yaml`): [`in_language`] puts it in place. Wrong usage is said by
//! [`super::usage_error`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::sync::LazyLock;

use anstyle::Style;
use clap::error::ContextValue;
use clap::{Command, Parser};

use crate::built_in;
use crate::cli::examples::examples_of;
use crate::cli::usage_error;
use crate::say;
use crate::text::{Language, Text};
use crate::untrusted::{UntrustedText, escaped_except_styles};

/// As clap's own headings.
const EXAMPLES_STYLE: Style = Style::new().bold().underline();

/// Command → option → text. `every` has the texts that several commands share; `about` describes the command itself.
type HelpWords = BTreeMap<String, BTreeMap<String, String>>;

static SPANISH: LazyLock<HelpWords> = LazyLock::new(|| {
    let parsed = serde_saphyr::from_str(include_str!("../../assets/locales/es/help.yaml"));
    built_in::valid("assets/locales/es/help.yaml", parsed)
});

/// The language of the help, before the command line is parsed: that of `--lang`, else the system's.
fn language(arguments: &[OsString]) -> Language {
    let mut words = arguments.iter().map(|word| word.to_string_lossy());
    let mut chosen = None;
    while let Some(word) = words.next() {
        match word.strip_prefix("--lang") {
            Some("") => chosen = words.next().and_then(|tag| Language::from_tag(&tag)),
            Some(tag) => chosen = tag.strip_prefix('=').and_then(Language::from_tag).or(chosen),
            None if word == "--" => break,
            None => {}
        }
    }
    chosen.unwrap_or_else(Language::of_system)
}

/// Parses a command line. Help, version and wrong usage are printed here and end the program.
pub fn parse<P: Parser>(arguments: &[OsString]) -> P {
    let language = language(arguments);
    let mut command = in_language(P::command(), language);
    let matches = command.try_get_matches_from_mut(arguments).unwrap_or_else(|error| end(error, language));
    // Cannot fail: the same command produced the matches.
    P::from_arg_matches(&matches).unwrap_or_else(|error| end(error.format(&mut command), language))
}

/// Prints help, version or a message about wrong usage, and ends the program. The message repeats what was typed, and a
/// command is often copied from a page.
fn end(mut error: clap::Error, language: Language) -> ! {
    if let Some(message) = usage_error::message(&error, Text::new(language)) {
        // Where the output is closed there is nobody to tell.
        let _nobody_listens = write!(anstream::stderr().lock(), "{}", escaped_except_styles(&message));
        std::process::exit(error.exit_code())
    }
    let one_line = |value: &ContextValue| match value {
        ContextValue::String(text) => Some(ContextValue::String(UntrustedText::new(text).into())),
        ContextValue::Strings(list) => {
            Some(ContextValue::Strings(list.iter().map(|text| UntrustedText::new(text).into()).collect()))
        }
        _ => None,
    };
    let typed: Vec<_> = error.context().filter_map(|(kind, value)| Some((kind, one_line(value)?))).collect();
    for (kind, value) in typed {
        error.insert(kind, value);
    }
    let rendered = error.render().ansi().to_string();
    let message = escaped_except_styles(&rendered);
    // Where the output is closed there is nobody to tell.
    let _nobody_listens = if error.use_stderr() {
        write!(anstream::stderr().lock(), "{message}")
    } else {
        write!(anstream::stdout().lock(), "{message}")
    };
    std::process::exit(error.exit_code())
}

/// The command with its help in this language.
pub fn in_language(command: Command, language: Language) -> Command {
    let command = with_examples(command, language);
    let words: &'static HelpWords = match language {
        Language::English => return command,
        Language::Spanish => &SPANISH,
    };
    // Adds clap's own options (help, version), so that they are translated too.
    let mut command = command;
    command.build();
    translated(command, words)
}

fn with_examples(command: Command, language: Language) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        let lines = examples_of(&name);
        if lines.is_empty() {
            return command;
        }
        let heading = say!(Text::new(language), "cli-examples");
        let examples = format!("{EXAMPLES_STYLE}{heading}:{EXAMPLES_STYLE:#}\n  {}", lines.join("\n  "));
        command.mut_subcommand(name, |below| below.after_help(examples))
    })
}

fn translated(command: Command, words: &'static HelpWords) -> Command {
    let place = command.get_name().to_owned();
    let own = |name: &str| words.get(&place).and_then(|own| own.get(name)).map(String::as_str);
    let shared = |name: &str| words.get("every").and_then(|every| every.get(name)).map(String::as_str);
    let find = |name: &str| own(name).or_else(|| shared(name));
    let said = |name: &str| find(name).unwrap_or_default();
    let mut command = command;
    if let Some(about) = own("about") {
        command = command.about(about);
    }
    if let Some(after) = own("after") {
        command = command.after_help(after);
    }
    // The usage line contains words of clap's own.
    let usage = command.render_usage().to_string();
    let usage = usage.split_once(": ").map_or(usage.as_str(), |(_heading, usage)| usage);
    let usage = usage
        .replace("[OPTIONS]", &format!("[{}]", said("options-placeholder")))
        .replace("[COMMAND]", &format!("[{}]", said("command-placeholder")));
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}",
        said("usage-heading")
    );
    command = command
        .override_usage(usage)
        .help_template(template)
        .subcommand_help_heading(said("commands-heading"));
    command = command.mut_args(|argument| {
        let heading = match argument.get_help_heading() {
            Some(_) => said("every-command-heading"),
            None => said("options-heading"),
        };
        let argument = match find(argument.get_id().as_str()) {
            // The text of an option describes its values.
            Some(help) => argument.help(help).long_help(help).hide_possible_values(true),
            None => argument,
        };
        argument.help_heading(heading)
    });
    let below: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    for name in below {
        command = command.mut_subcommand(name, |below| translated(below, words));
    }
    command
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;
    use crate::cli::installer::InstallerCli;

    /// Every command with every option and its English text.
    fn all(command: &Command, found: &mut Vec<(String, String, String)>) {
        let place = command.get_name();
        let mut add = |name: &str, words: String| found.push((place.to_owned(), name.to_owned(), words));
        add("about", command.get_about().map(ToString::to_string).unwrap_or_default());
        for argument in command.get_arguments() {
            add(argument.get_id().as_str(), argument.get_help().map(ToString::to_string).unwrap_or_default());
        }
        for below in command.get_subcommands() {
            all(below, found);
        }
    }

    fn built() -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        for mut command in [Cli::command(), InstallerCli::command()] {
            command.build();
            all(&command, &mut found);
        }
        found
    }

    #[test]
    fn every_command_and_option_is_translated_and_no_translation_is_unused() {
        let mut used = BTreeSet::new();
        for (path, name, english) in built() {
            if english.is_empty() {
                continue;
            }
            let place = [path.as_str(), "every"]
                .into_iter()
                .find(|place| SPANISH.get(*place).is_some_and(|words| words.contains_key(&name)));
            assert!(place.is_some(), "no Spanish for {name} of {path}: {english}");
            used.insert((place.unwrap().to_owned(), name));
        }
        for (place, words) in SPANISH.iter() {
            for name in words.keys().filter(|name| {
                !name.ends_with("heading") && !name.ends_with("placeholder") && *name != "after"
            }) {
                assert!(used.contains(&(place.clone(), name.clone())), "{place}: {name} is unused");
            }
        }
    }

    #[test]
    fn the_language_is_known_before_anything_is_parsed() {
        let of = |line: &str| language(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of("acolyte install --lang es --help"), Language::Spanish);
        assert_eq!(of("acolyte --lang=en --help"), Language::English);
        assert_eq!(of("acolyte --lang=en --lang es"), Language::Spanish);
        assert_eq!(of("acolyte --language es"), Language::of_system());
    }
}
