//! Languages: their messages, and their formats of numbers and units. [`crate::sentences`] decides which message is
//! used.
//!
//! Messages are in `assets/locales/LANGUAGE/*.ftl` (Project Fluent, which knows plurals) and compiled in. The macro
//! [`crate::say`] formats one with its arguments; a wrong key or argument does not compile.

pub mod messages;
mod units;
pub mod wrap;

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::untrusted::{UntrustedText, escaped};

/// A language of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Spanish.
    Spanish,
}

impl Language {
    /// All languages, in the order of the menu.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// Its name in the language itself.
    pub fn endonym(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Spanish => "Español",
        }
    }

    /// IETF tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// From an IETF tag or a POSIX locale (`es-MX`, `es_ES.UTF-8`); `None` for any other language.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The system's language; English if it is unknown or not supported.
    pub fn of_system() -> Self {
        sys_locale::get_locale().and_then(|tag| Self::from_tag(&tag)).unwrap_or(Self::English)
    }
}

type Bundle = LazyLock<FluentBundle<FluentResource>>;

/// Parsed at the first message of a language, because most runs need only one.
static BUNDLES: [Bundle; 2] = [
    LazyLock::new(|| bundle(Language::English, messages::ENGLISH)),
    LazyLock::new(|| bundle(Language::Spanish, messages::SPANISH)),
];

/// Formats messages and figures in one language. Cheap to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    language: Language,
}

impl Text {
    /// For this language.
    pub fn new(language: Language) -> Self {
        Self { language }
    }

    /// The language.
    pub fn language(self) -> Language {
        self.language
    }

    /// The message of a key with its arguments; the key itself where there is no such message. [`crate::say`] checks
    /// both at compile time.
    pub fn say(self, key: &str, args: &[(&str, FluentValue<'_>)]) -> String {
        let bundle = &BUNDLES[self.language as usize];
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, shown(value))).collect();
        let mut errors = Vec::new();
        let message = bundle.format_pattern(pattern, Some(&args), &mut errors);
        if !errors.is_empty() {
            tracing::warn!(key, ?errors, "an argument of the message is missing");
        }
        Cow::into_owned(message)
    }
}

/// An argument in a safe form: text from outside cannot control a terminal or reorder a sentence, even without its type.
fn shown<'a>(value: &FluentValue<'a>) -> FluentValue<'a> {
    match value {
        FluentValue::String(text) => FluentValue::String(Cow::Owned(escaped(text).into_owned())),
        other => other.clone(),
    }
}

impl From<&UntrustedText> for FluentValue<'static> {
    fn from(text: &UntrustedText) -> Self {
        Self::from(text.to_string())
    }
}

impl From<UntrustedText> for FluentValue<'static> {
    fn from(text: UntrustedText) -> Self {
        Self::from(String::from(text))
    }
}

/// `say!(text, "key", name = value, …)`: a message with its arguments. Numbers choose the plural form; strings are
/// inserted as they are, so format figures first (see the methods of [`Text`]).
///
/// The key and the names of the arguments are checked at compile time:
///
/// ```compile_fail
/// let text = acolyte::text::Text::new(acolyte::text::Language::English);
/// acolyte::say!(text, "no-such-message");
/// ```
#[macro_export]
macro_rules! say {
    ($text:expr, $key:literal $(, $name:ident = $value:expr)* $(,)?) => {
{
        const _: () = assert!(
            $crate::text::messages::is_message($key, &[$(stringify!($name)),*]),
            concat!("assets/locales has no message ", $key, " with these arguments")
        );
        $text.say($key, &[$((stringify!($name), fluent_bundle::FluentValue::from($value))),*])
    }    };
}

fn bundle(language: Language, sources: &[&'static str]) -> FluentBundle<FluentResource> {
    let tag = match language {
        Language::English => unic_langid::langid!("en"),
        Language::Spanish => unic_langid::langid!("es"),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Isolation marks are for mixed writing directions, and some terminals and fonts show them.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(resource, errors)| {
            tracing::error!(?errors, "a message file is invalid");
            resource
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(?errors, "a message is defined twice");
        }
    }
    bundle
}
