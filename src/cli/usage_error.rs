//! Wrong usage in the user's language: what clap found, without its English sentences.

use std::error::Error as _;
use std::num::ParseIntError;

use anstyle::{AnsiColor, Style};
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::say;
use crate::sentences::{UsageHints, UsageProblem, ValueProblem};
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// The message about wrong usage; `None` for help, version, and what clap alone can say.
pub fn message(error: &clap::Error, text: Text) -> Option<String> {
    let problem = problem(error)?;
    let heading = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let hint = Style::new().fg_color(Some(AnsiColor::Green.into()));
    let mut blocks =
        vec![format!("{heading}{}{heading:#} {}", say!(text, "usage-error"), problem.explain(text))];
    let hints = hints(error).lines(text);
    let hints = hints.iter().map(|line| format!("  {hint}{}{hint:#} {line}", say!(text, "usage-hint")));
    blocks.extend(Some(hints.collect::<Vec<_>>().join("\n")).filter(|hints| !hints.is_empty()));
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let usage = usage.split_once(": ").map_or(usage.as_str(), |(_heading, usage)| usage);
        blocks.push(say!(text, "usage-heading", usage = usage.trim()));
    }
    blocks.push(say!(text, "usage-more"));
    Some(blocks.join("\n\n") + "\n")
}

fn problem(error: &clap::Error) -> Option<UsageProblem> {
    let option = || first(error, ContextKind::InvalidArg);
    let value = || first(error, ContextKind::InvalidValue);
    Some(match error.kind() {
        ErrorKind::UnknownArgument if option().starts_with('-') => UsageProblem::UnknownOption(option()),
        ErrorKind::UnknownArgument => UsageProblem::UnknownArgument(option()),
        ErrorKind::InvalidSubcommand => {
            UsageProblem::UnknownCommand(first(error, ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand => UsageProblem::MissingCommand,
        ErrorKind::MissingRequiredArgument => {
            UsageProblem::MissingOptions(all(error, ContextKind::InvalidArg))
        }
        ErrorKind::InvalidValue if value().is_empty() => UsageProblem::MissingValue(option()),
        ErrorKind::InvalidValue => UsageProblem::NotPossible {
            option: option(),
            value: value(),
            possible: all(error, ContextKind::ValidValue),
        },
        ErrorKind::NoEquals | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            UsageProblem::MissingValue(option())
        }
        ErrorKind::TooManyValues => UsageProblem::UnexpectedValue { option: option(), value: value() },
        ErrorKind::ValueValidation => {
            UsageProblem::WrongValue { option: option(), value: value(), problem: value_problem(error) }
        }
        ErrorKind::ArgumentConflict => {
            let (option, others) = (option(), all(error, ContextKind::PriorArg));
            if others == [option.as_str()] {
                UsageProblem::Twice(option)
            } else {
                UsageProblem::Conflict { option, others }
            }
        }
        ErrorKind::InvalidUtf8 => UsageProblem::NotUnicode,
        _ => return None,
    })
}

fn value_problem(error: &clap::Error) -> ValueProblem {
    let Some(source) = error.source() else { return ValueProblem::Other(UntrustedText::default()) };
    if let Some(problem) = source.downcast_ref::<ValueProblem>() {
        return problem.clone();
    }
    if source.downcast_ref::<ParseIntError>().is_some() {
        return ValueProblem::WholeNumber;
    }
    let said = source.to_string();
    match said.split_once(" is not in ") {
        Some((_, range)) => ValueProblem::OutOfRange(range.into()),
        None => ValueProblem::Other(said.into()),
    }
}

fn hints(error: &clap::Error) -> UsageHints {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    // clap lists the best last.
    let similar = kinds.into_iter().flat_map(|kind| all(error, kind).into_iter().rev()).collect();
    let is_value = error.get(ContextKind::TrailingArg).is_some();
    UsageHints { similar, as_value: is_value.then(|| first(error, ContextKind::InvalidArg)) }
}

fn first(error: &clap::Error, kind: ContextKind) -> String {
    all(error, kind).into_iter().next().unwrap_or_default()
}

/// The texts of one kind, each in a form that is safe to show.
fn all(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    let shown = |text: &String| String::from(UntrustedText::new(text));
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![shown(text)],
        Some(ContextValue::Strings(texts)) => texts.iter().map(shown).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;
    use crate::cli::help::in_language;
    use crate::text::Language;

    /// What is said of a command line, without colours.
    fn said(line: &str, language: Language) -> String {
        let mut command = in_language(Cli::command(), language);
        let error = command.try_get_matches_from_mut(line.split(' ')).expect_err("wrong usage");
        let said = message(&error, Text::new(language)).unwrap_or_else(|| panic_with(&error));
        anstream::adapter::strip_str(&said).to_string()
    }

    fn panic_with(error: &clap::Error) -> String {
        unreachable!("clap's own words are shown: {error}")
    }

    #[test]
    fn every_kind_of_wrong_usage_is_said_in_both_languages() {
        for (line, english, spanish) in [
            ("acolyte instal", "unrecognized command 'instal'", "no existe el comando 'instal'"),
            ("acolyte install now", "unexpected argument 'now'", "sobra el argumento 'now'"),
            ("acolyte install --yess", "unexpected option '--yess'", "no existe la opción '--yess'"),
            (
                "acolyte install --profile",
                "a value is required for '--profile <ID>'",
                "falta el valor de '--profile <ID>'",
            ),
            (
                "acolyte estimate",
                "these are required: '--model <TAG>'",
                "falta lo siguiente: '--model <TAG>'",
            ),
            (
                "acolyte install --ollama best",
                "invalid value 'best' for '--ollama <WHICH>'",
                "valor no válido 'best' para '--ollama <WHICH>'",
            ),
            (
                "acolyte install --port 80",
                "invalid value '80' for '--port <N>': use a whole number from 1024 to 65535",
                "valor no válido '80' para '--port <N>': usa un número entero de 1024 a 65535",
            ),
            ("acolyte install --port x", "use a whole number", "usa un número entero"),
            (
                "acolyte uninstall --dry-run --yes",
                "'--dry-run' cannot be used with '--yes'",
                "'--dry-run' no se puede usar con '--yes'",
            ),
            (
                "acolyte install --profile a --profile b",
                "'--profile <ID>' can be used only once",
                "'--profile <ID>' solo se puede usar una vez",
            ),
            (
                "acolyte status --json=yes",
                "unexpected value 'yes' for '--json'",
                "'--json' no admite el valor 'yes'",
            ),
            ("acolyte detect --lang de", "use en or es", "usa en o es"),
            ("acolyte install --limit-rate fast", "500k", "500k"),
            (
                "acolyte estimate --model x --vram-gib 1.234,5",
                "use one decimal mark and no separators of thousands: 1234.5 or 1234,5",
                "usa una sola marca decimal y ningún separador de miles: 1234.5 o 1234,5",
            ),
            ("acolyte estimate --model x --vram-gib -1", "use a number above 0", "usa un número mayor que 0"),
            ("acolyte estimate --model x --kv q5", "f16, q8_0", "f16, q8_0"),
            ("acolyte estimate --model x --n-cpu-moe some", "all", "all"),
            ("acolyte estimate --model x --context 0", "from 1 to 16777216", "de 1 a 16777216"),
        ] {
            let (in_english, in_spanish) = (said(line, Language::English), said(line, Language::Spanish));
            assert!(
                in_english.starts_with("error: ") && in_english.contains(english),
                "{line}: {in_english}"
            );
            assert!(
                in_spanish.starts_with("error: ") && in_spanish.contains(spanish),
                "{line}: {in_spanish}"
            );
            assert_eq!(in_english.contains("Usage: acolyte"), in_spanish.contains("Uso: acolyte"), "{line}");
            for word in ["Usage", "invalid", "unexpected", "required", "cannot", "For more", "tip:"] {
                assert!(!in_spanish.contains(word), "{line}: {in_spanish}");
            }
        }
    }

    #[test]
    fn what_may_have_been_meant_is_suggested() {
        for (line, meant) in [
            ("acolyte instal", "'install'"),
            ("acolyte install --yess", "'--yes'"),
            ("acolyte install --ollama pined", "'pinned'"),
        ] {
            let (english, spanish) = (said(line, Language::English), said(line, Language::Spanish));
            assert!(english.contains(&format!("similar: {meant}")), "{english}");
            assert!(spanish.contains(&format!("parecido: {meant}")), "{spanish}");
        }
    }

    /// A command is often copied from a page.
    #[test]
    fn what_was_typed_is_shown_in_a_safe_form() {
        let said = said("acolyte install --profile\u{1b}[2J", Language::Spanish);
        assert!(!said.contains('\u{1b}') && said.contains("[2J"), "{said}");
    }
}
