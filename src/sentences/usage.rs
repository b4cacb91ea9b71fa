//! Sentences about wrong usage of the command line.

use crate::say;
use crate::text::{Language, Text};
use crate::untrusted::UntrustedText;

/// Why the value of an option is wrong. Displayed in English; see [`ValueProblem::explain`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", self.explain(Text::new(Language::English)))]
pub enum ValueProblem {
    /// Not a language of the program.
    Language,
    /// Not a rate.
    Rate,
    /// Not a type of the KV cache.
    KvCacheType,
    /// Not a number of blocks.
    ExpertBlocks,
    /// Not a number, `all` or `auto`.
    Amount,
    /// Neither `auto` nor a whole number from 1 to a limit.
    NumberOrAuto {
        /// The limit.
        most: u32,
    },
    /// Not a renderer.
    Renderer,
    /// Not a number above 0 and up to a limit.
    Number {
        /// The limit.
        most: f64,
    },
    /// A number with several marks, or with separators of thousands.
    SeveralMarks,
    /// Not a whole number.
    WholeNumber,
    /// Out of range, which is written as `1..=100`.
    OutOfRange(UntrustedText),
    /// Anything else, in the words of the library.
    Other(UntrustedText),
}

impl ValueProblem {
    /// What is expected, as a clause.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Language => say!(text, "usage-value-language"),
            Self::Rate => say!(text, "usage-value-rate"),
            Self::KvCacheType => say!(text, "usage-value-kv"),
            Self::ExpertBlocks => say!(text, "usage-value-blocks"),
            Self::Amount => say!(text, "usage-value-amount"),
            Self::NumberOrAuto { most } => {
                say!(text, "usage-value-number-or-auto", most = text.count(u64::from(*most)))
            }
            Self::Renderer => say!(text, "usage-value-renderer"),
            Self::Number { most } => say!(text, "usage-value-number", most = text.count(*most as u64)),
            Self::SeveralMarks => {
                let (point, comma) = ("1234.5", "1234,5");
                say!(text, "usage-value-marks", point = point, comma = comma)
            }
            Self::WholeNumber => say!(text, "usage-value-whole"),
            Self::OutOfRange(range) => match range.split_once("..") {
                Some((least, most)) if !most.is_empty() => {
                    let most = most.trim_start_matches('=');
                    say!(text, "usage-value-range", least = least, most = most)
                }
                Some((least, _)) => say!(text, "usage-value-least", least = least),
                None => say!(text, "usage-value-other", problem = range),
            },
            Self::Other(problem) => say!(text, "usage-value-other", problem = problem),
        }
    }
}

/// What is wrong with a command line. Options and values are as typed, in a form that is safe to show.
#[derive(Clone, Debug, PartialEq)]
pub enum UsageProblem {
    /// No such option.
    UnknownOption(String),
    /// An argument that nothing takes.
    UnknownArgument(String),
    /// No such command.
    UnknownCommand(String),
    /// No command.
    MissingCommand,
    /// An option without its value.
    MissingValue(String),
    /// Options that are required.
    MissingOptions(Vec<String>),
    /// A value that an option does not take.
    UnexpectedValue {
        /// The option.
        option: String,
        /// The value.
        value: String,
    },
    /// A wrong value.
    WrongValue {
        /// The option.
        option: String,
        /// The value.
        value: String,
        /// What is expected.
        problem: ValueProblem,
    },
    /// A value that is not one of those that are possible.
    NotPossible {
        /// The option.
        option: String,
        /// The value.
        value: String,
        /// The possible ones.
        possible: Vec<String>,
    },
    /// Options that exclude each other.
    Conflict {
        /// The option.
        option: String,
        /// The others.
        others: Vec<String>,
    },
    /// An option that may be used once only.
    Twice(String),
    /// Text that is not Unicode.
    NotUnicode,
}

/// What may have been meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageHints {
    /// Similar options, commands or values.
    pub similar: Vec<String>,
    /// How to write what begins like an option but is a value.
    pub as_value: Option<String>,
}

impl UsageProblem {
    /// What is wrong.
    pub fn explain(&self, text: Text) -> String {
        let quoted =
            |list: &[String]| list.iter().map(|one| format!("'{one}'")).collect::<Vec<_>>().join(", ");
        match self {
            Self::UnknownOption(option) => say!(text, "usage-unknown-option", option = option.as_str()),
            Self::UnknownArgument(argument) => {
                say!(text, "usage-unknown-argument", argument = argument.as_str())
            }
            Self::UnknownCommand(command) => say!(text, "usage-unknown-command", command = command.as_str()),
            Self::MissingCommand => say!(text, "usage-missing-command"),
            Self::MissingValue(option) => say!(text, "usage-missing-value", option = option.as_str()),
            Self::MissingOptions(options) => say!(text, "usage-missing-options", options = quoted(options)),
            Self::UnexpectedValue { option, value } => {
                say!(text, "usage-unexpected-value", option = option.as_str(), value = value.as_str())
            }
            Self::WrongValue { option, value, problem } => say!(
                text,
                "usage-wrong-value",
                option = option.as_str(),
                value = value.as_str(),
                problem = problem.explain(text)
            ),
            Self::NotPossible { option, value, possible } => say!(
                text,
                "usage-not-possible",
                option = option.as_str(),
                value = value.as_str(),
                possible = possible.join(", ")
            ),
            Self::Conflict { option, others } if others.is_empty() => {
                say!(text, "usage-conflict-others", option = option.as_str())
            }
            Self::Conflict { option, others } => {
                say!(text, "usage-conflict", option = option.as_str(), others = quoted(others))
            }
            Self::Twice(option) => say!(text, "usage-twice", option = option.as_str()),
            Self::NotUnicode => say!(text, "usage-not-unicode"),
        }
    }
}

impl UsageHints {
    /// What may have been meant, a line each.
    pub fn lines(&self, text: Text) -> Vec<String> {
        let quoted = || self.similar.iter().map(|one| format!("'{one}'")).collect::<Vec<_>>().join(", ");
        let similar = (!self.similar.is_empty()).then(|| say!(text, "usage-similar", similar = quoted()));
        let as_value = self.as_value.as_ref();
        let as_value = as_value.map(|value| say!(text, "usage-as-value", value = value.as_str()));
        similar.into_iter().chain(as_value).collect()
    }
}
