//! Model tags in Ollama's grammar: `[host[:port]/][namespace/]name[:tag]`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::untrusted::UntrustedText;

/// Registry of a tag without a host.
const DEFAULT_HOST: &str = "registry.ollama.ai";
/// Namespace of a tag without one.
const DEFAULT_NAMESPACE: &str = "library";
/// Host of models that were installed from a file on this computer: a name that no registry can have (RFC 2606).
const FILE_HOST: &str = "file.invalid";
/// Namespace of such models.
const FILE_NAMESPACE: &str = "gguf";
/// Tag of a name without one.
const DEFAULT_TAG: &str = "latest";

/// Tag of a model in a registry. Displayed and serialised as Ollama lists the model: default host and namespace are
/// omitted, the tag never.
///
/// Holds all parts: `host/namespace/name:tag`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelTag(Cow<'static, str>);

/// Why a text is not a model tag. `tag` is the whole text as entered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelTagError {
    /// The text is empty.
    #[error("the name of the model is empty")]
    Empty,
    /// Too many parts.
    #[error("\"{tag}\" has more parts than host/namespace/name:tag")]
    TooManyParts {
        /// The whole text.
        tag: UntrustedText,
    },
    /// Ollama refuses one of the parts.
    #[error("\"{part}\" in \"{tag}\" is not a {what}: letters, digits, \"-\", \"_\" and \".\" only")]
    Part {
        /// The whole text.
        tag: UntrustedText,
        /// The part.
        part: UntrustedText,
        /// Which part it is.
        what: TagPart,
    },
    /// The engine cannot store it on Windows: the host becomes the name of a folder, which cannot contain the colon before
    /// a port (Ollama issue 4088).
    #[error("Windows cannot store \"{tag}\": no folder can have a name with a port")]
    PortOnWindows {
        /// The whole text.
        tag: UntrustedText,
    },
}

/// The parts of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagPart {
    /// Host, with or without a port.
    Host,
    /// Namespace.
    Namespace,
    /// Name.
    Name,
    /// Tag.
    Tag,
}

impl fmt::Display for TagPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Namespace => "namespace",
            Self::Name => "name",
            Self::Tag => "tag",
        })
    }
}

impl ModelTag {
    /// Parses `name`, `name:tag`, `namespace/name:tag`, `host[:port]/namespace/name:tag`, `hf.co/user/repo:QUANT`. A
    /// leading `https://` or `http://`, as in a copied URL, is dropped as Ollama does.
    ///
    /// # Errors
    /// If Ollama would refuse the tag.
    pub fn parse(text: &str) -> Result<Self, ModelTagError> {
        let trimmed = text.trim();
        let rest = trimmed.split_once("://").map_or(trimmed, |(_, rest)| rest);
        if rest.is_empty() {
            return Err(ModelTagError::Empty);
        }
        let parts: Vec<&str> = rest.split('/').collect();
        let (host, namespace, last) = match parts[..] {
            [last] => (DEFAULT_HOST, DEFAULT_NAMESPACE, last),
            [namespace, last] => (DEFAULT_HOST, namespace, last),
            [host, namespace, last] => (host, namespace, last),
            _ => return Err(ModelTagError::TooManyParts { tag: text.into() }),
        };
        let (name, tag) = last.split_once(':').unwrap_or((last, DEFAULT_TAG));
        for (what, part) in [
            (TagPart::Host, host),
            (TagPart::Namespace, namespace),
            (TagPart::Name, name),
            (TagPart::Tag, tag),
        ] {
            if !is_valid(what, part) {
                return Err(ModelTagError::Part { tag: text.into(), part: part.into(), what });
            }
        }
        Ok(Self(format!("{host}/{namespace}/{name}:{tag}").into()))
    }

    /// A constant tag with all its parts. Not validated here; a test parses each of them.
    pub(crate) const fn constant(all_parts: &'static str) -> Self {
        Self(Cow::Borrowed(all_parts))
    }

    /// As Ollama lists it.
    pub fn as_str(&self) -> &str {
        match self.parts() {
            [DEFAULT_HOST, DEFAULT_NAMESPACE, rest] => rest,
            [DEFAULT_HOST, ..] => self.0.split_once('/').map_or("", |(_, rest)| rest),
            _ => &self.0,
        }
    }

    /// The tag of a model that is installed from a file: what the name of the file allows, and digits that tell it from others.
    pub fn of_file(file_name: &str, digits: &str) -> Self {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let cleaned: String = file_name.chars().map(|c| if word(c) || c == '.' { c } else { '-' }).collect();
        let cleaned = cleaned.trim_start_matches(|c| !word(c));
        let name: String = cleaned.chars().take(80).collect();
        let name = if name.is_empty() { "model" } else { &name };
        Self(format!("{FILE_HOST}/{FILE_NAMESPACE}/{name}:{digits}").into())
    }

    /// Whether it is the tag of a model that was installed from a file.
    pub fn is_of_file(&self) -> bool {
        self.host() == FILE_HOST
    }

    /// As shown to the user: the file's name for a model that was installed from one, else as Ollama lists it.
    pub fn shown(&self) -> &str {
        if self.is_of_file() { self.name() } else { self.as_str() }
    }

    /// Whether a text is this tag in any spelling.
    pub fn is(&self, text: &str) -> bool {
        Self::parse(text).is_ok_and(|tag| tag == *self)
    }

    /// Host of the registry, with its port unless it is the scheme's default.
    pub fn host(&self) -> &str {
        self.parts()[0]
    }

    /// Requires that the engine of this system can store the model under this name.
    ///
    /// # Errors
    /// [`ModelTagError::PortOnWindows`].
    pub fn require_storable(&self) -> Result<(), ModelTagError> {
        self.require_storable_on(cfg!(windows))
    }

    fn require_storable_on(&self, windows: bool) -> Result<(), ModelTagError> {
        if windows && self.host().contains(':') {
            return Err(ModelTagError::PortOnWindows { tag: self.as_str().into() });
        }
        Ok(())
    }

    /// Host without its port, where the user named one.
    pub fn named_host(&self) -> Option<String> {
        let host = self.host().split(':').next().unwrap_or_default();
        (!self.is_from_default_registry()).then(|| host.to_owned())
    }

    /// Namespace, `library` for Ollama's own models.
    pub fn namespace(&self) -> &str {
        self.parts()[1]
    }

    /// The name without namespace and tag.
    pub fn name(&self) -> &str {
        self.name_and_tag().0
    }

    /// The part after the colon.
    pub fn tag(&self) -> &str {
        self.name_and_tag().1
    }

    /// Whether the model is in Ollama's own registry.
    pub fn is_from_default_registry(&self) -> bool {
        self.host() == DEFAULT_HOST
    }

    /// Name and tag, if the namespace is that of Ollama's own models, in any registry.
    pub fn in_library(&self) -> Option<&str> {
        let [_, namespace, rest] = self.parts();
        (namespace == DEFAULT_NAMESPACE).then_some(rest)
    }

    /// Host, namespace, and name with tag. Always three, because no part contains a slash.
    fn parts(&self) -> [&str; 3] {
        let mut parts = self.0.splitn(3, '/');
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    fn name_and_tag(&self) -> (&str, &str) {
        self.parts()[2].split_once(':').unwrap_or_default()
    }
}

impl fmt::Display for ModelTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for ModelTag {
    type Error = ModelTagError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ModelTag> for String {
    fn from(tag: ModelTag) -> Self {
        tag.as_str().to_owned()
    }
}

/// Name of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelName {
    /// A tag, which the engine can pull.
    Tag(ModelTag),
    /// Path of a file, or a name that is not a tag: the model can be estimated but not installed.
    Other(UntrustedText),
}

impl ModelName {
    /// Parses a tag; any other text is kept as it is.
    pub fn of(text: &str) -> Self {
        ModelTag::parse(text).map_or_else(|_| Self::Other(text.into()), Self::Tag)
    }

    /// As shown to the user, see [`ModelTag::shown`].
    pub fn shown(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.shown(),
            Self::Other(name) => name.as_str(),
        }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Other(name) => name.as_str(),
        }
    }
}

/// The rules of Ollama's `types/model/name.go`: the first character a letter, a digit or "_", then also "-" and ".";
/// no "." in a namespace; a host may end in a port; 1 to 80 characters (hosts to 350).
fn is_valid(what: TagPart, part: &str) -> bool {
    let longest = if what == TagPart::Host { 350 } else { 80 };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=longest).contains(&part.len())
        && part.chars().next().is_some_and(word)
        && part.chars().all(|c| match c {
            '-' => true,
            '.' => what != TagPart::Namespace,
            ':' => what == TagPart::Host,
            _ => word(c),
        })
        && part.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_parsed_and_displayed_as_ollama_lists_it() {
        for (written, shown) in [
            ("qwen2.5-coder", "qwen2.5-coder:latest"),
            ("qwen2.5-coder:7b", "qwen2.5-coder:7b"),
            ("library/qwen2.5-coder:7b", "qwen2.5-coder:7b"),
            ("someone/model:q4_K_M", "someone/model:q4_K_M"),
            ("registry.ollama.ai/library/x:1", "x:1"),
            ("https://registry.ollama.ai/library/x:1", "x:1"),
            ("127.0.0.1:5000/acme/coder:3b", "127.0.0.1:5000/acme/coder:3b"),
            (
                "hf.co/unsloth/Qwen2.5-Coder-7B-128K-GGUF:Q4_K_M",
                "hf.co/unsloth/Qwen2.5-Coder-7B-128K-GGUF:Q4_K_M",
            ),
        ] {
            assert_eq!(ModelTag::parse(written).unwrap().to_string(), shown);
        }
        let reference = ModelTag::parse("127.0.0.1:5000/acme/coder:3b").unwrap();
        assert_eq!(reference.host(), "127.0.0.1:5000");
        assert_eq!((reference.namespace(), reference.name(), reference.tag()), ("acme", "coder", "3b"));
    }

    #[test]
    fn what_ollama_refuses_is_refused_with_the_invalid_part() {
        assert_eq!(ModelTag::parse("  "), Err(ModelTagError::Empty));
        for (written, bad, what) in [
            ("a b", "a b", TagPart::Name),
            ("x:", "", TagPart::Tag),
            (":7b", "", TagPart::Name),
            ("/x:1", "", TagPart::Namespace),
            ("-x", "-x", TagPart::Name),
            ("x:7b:8b", "7b:8b", TagPart::Tag),
            ("../../etc:1", "..", TagPart::Host),
            ("my.space/x", "my.space", TagPart::Namespace),
            ("host/ns/na?me:1", "na?me", TagPart::Name),
            ("host:port/a/b:c", "host:port", TagPart::Host),
            ("a//b:c", "", TagPart::Namespace),
            ("ü:1", "ü", TagPart::Name),
        ] {
            match ModelTag::parse(written) {
                Err(ModelTagError::Part { part, what: found, .. }) => {
                    assert_eq!((part.as_str(), found), (bad, what), "{written}");
                }
                other => assert_eq!(other, Err(ModelTagError::Empty), "{written}"),
            }
        }
        assert!(matches!(ModelTag::parse("a/b/c/d"), Err(ModelTagError::TooManyParts { .. })));
    }

    #[test]
    fn a_tag_is_recognised_in_any_spelling() {
        let tag = ModelTag::parse("qwen3").unwrap();
        assert!(tag.is("qwen3:latest") && tag.is("https://registry.ollama.ai/library/qwen3"));
        assert!(!tag.is("someone/qwen3") && !tag.is("qwen3:8b") && !tag.is("not a tag"));
    }

    #[test]
    fn the_name_of_a_file_becomes_a_valid_tag() {
        for (file, name) in [
            ("SmolLM2-135M-Instruct.Q4_1", "SmolLM2-135M-Instruct.Q4_1"),
            ("Modelo español (final)", "Modelo-espa-ol--final-"),
            ("../.hidden", "hidden"),
            ("\u{202e}", "model"),
            (&"x".repeat(300), &"x".repeat(80)),
        ] {
            let tag = ModelTag::of_file(file, "0123456789ab");
            assert_eq!((tag.shown(), tag.tag()), (name, "0123456789ab"));
            assert_eq!(ModelTag::parse(tag.as_str()).unwrap(), tag);
            assert!(tag.is_of_file() && !tag.is_from_default_registry());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_and_round_trips(text in "\\PC{0,60}") {
            if let Ok(reference) = ModelTag::parse(&text) {
                prop_assert_eq!(ModelTag::parse(&reference.to_string()).unwrap(), reference);
            }
        }

        #[test]
        fn valid_names_round_trip(
            host in "[a-z0-9][a-z0-9.-]{0,20}(:[1-5][0-9]{0,4})?", ns in "[A-Za-z0-9_][A-Za-z0-9_-]{0,20}",
            name in "[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", tag in "[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}",
        ) {
            let reference = ModelTag::parse(&format!("{host}/{ns}/{name}:{tag}")).unwrap();
            prop_assert_eq!(ModelTag::parse(&reference.to_string()).unwrap(), reference);
        }
    }

    #[test]
    fn windows_cannot_store_a_port() {
        let with_port = ModelTag::parse("registry.acme.test:5000/team/coder:7b").unwrap();
        let error = with_port.require_storable_on(true).unwrap_err();
        assert_eq!(error, ModelTagError::PortOnWindows { tag: with_port.as_str().into() });
        assert_eq!(with_port.require_storable_on(false), Ok(()));
        for tag in ["qwen2.5-coder:7b", "hf.co/acme/coder:Q4_K_M", "registry.acme.test/team/coder:7b"] {
            assert_eq!(ModelTag::parse(tag).unwrap().require_storable_on(true), Ok(()), "{tag}");
        }
    }
}
