//! What do we say? Every sentence a person reads, in every language, and how numbers are written in it.
//!
//! Messages lie in `assets/locales/LANGUAGE/*.ftl` (Project Fluent, which knows plurals) and are compiled in.
//! `text.say("key", &[])` looks one up; the macro [`crate::say`] does so with arguments.

mod units;

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

/// A language we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Spanish.
    Spanish,
}

impl Language {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// Its name in itself.
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

    /// From an IETF tag or a POSIX locale (`es-MX`, `es_ES.UTF-8`); what we do not speak is `None`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// What the system is set to; English where that says nothing or something we do not speak.
    pub fn of_system() -> Self {
        sys_locale::get_locale().and_then(|tag| Self::from_tag(&tag)).unwrap_or(Self::English)
    }
}

/// The message files. One list a language, the same names in each.
const ENGLISH: &[&str] = &[
    include_str!("../../assets/locales/en/cli.ftl"),
    include_str!("../../assets/locales/en/fetch.ftl"),
    include_str!("../../assets/locales/en/hardware.ftl"),
    include_str!("../../assets/locales/en/install.ftl"),
    include_str!("../../assets/locales/en/monitor.ftl"),
    include_str!("../../assets/locales/en/plan.ftl"),
    include_str!("../../assets/locales/en/units.ftl"),
    include_str!("../../assets/locales/en/wizard.ftl"),
];
const SPANISH: &[&str] = &[
    include_str!("../../assets/locales/es/cli.ftl"),
    include_str!("../../assets/locales/es/fetch.ftl"),
    include_str!("../../assets/locales/es/hardware.ftl"),
    include_str!("../../assets/locales/es/install.ftl"),
    include_str!("../../assets/locales/es/monitor.ftl"),
    include_str!("../../assets/locales/es/plan.ftl"),
    include_str!("../../assets/locales/es/units.ftl"),
    include_str!("../../assets/locales/es/wizard.ftl"),
];

type Bundle = LazyLock<FluentBundle<FluentResource>>;

/// Each is read when its first word is needed: a window waits for one of them, seldom for both.
static BUNDLES: [Bundle; 2] = [
    LazyLock::new(|| bundle(Language::English, ENGLISH)),
    LazyLock::new(|| bundle(Language::Spanish, SPANISH)),
];

/// Words in one language. Cheap to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    language: Language,
}

impl Text {
    /// Words in this language.
    pub fn new(language: Language) -> Self {
        Self { language }
    }

    /// The language.
    pub fn language(self) -> Language {
        self.language
    }

    /// The message of a key, with its arguments filled in. A key that does not exist answers itself, so that a
    /// mistake of ours shows on the screen instead of stopping the program; the tests find every such key.
    pub fn say(self, key: &str, args: &[(&str, FluentValue<'_>)]) -> String {
        let bundle = &BUNDLES[self.language as usize];
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let said = bundle.format_pattern(pattern, Some(&args), &mut errors);
        if !errors.is_empty() {
            tracing::warn!(key, ?errors, "message could not be filled in completely");
        }
        Cow::into_owned(said)
    }
}

/// `say!(text, "key", name = value, …)`: a message with its arguments. Numbers choose the plural form, texts are
/// put in as they are (so figures are formatted first, see the methods of [`Text`]).
#[macro_export]
macro_rules! say {
    ($text:expr, $key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $text.say($key, &[$((stringify!($name), fluent_bundle::FluentValue::from($value))),*])
    };
}

fn bundle(language: Language, sources: &[&'static str]) -> FluentBundle<FluentResource> {
    let tag = match language {
        Language::English => unic_langid::langid!("en"),
        Language::Spanish => unic_langid::langid!("es"),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Isolation marks are for mixed writing directions; here they would only confuse terminals and fonts.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(resource, errors)| {
            tracing::error!(?errors, "a message file has mistakes");
            resource
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(?errors, "a message is defined twice");
        }
    }
    bundle
}
