//! Names of models, as Ollama reads and shows them: `[host[:port]/][namespace/]name[:tag]`.

use std::fmt;
use std::str::FromStr;

use crate::say;
use crate::text::Text;

/// The registry of a name without a host.
pub const DEFAULT_HOST: &str = "registry.ollama.ai";
/// The namespace of a name without one.
pub const DEFAULT_NAMESPACE: &str = "library";
/// The tag of a name without one.
pub const DEFAULT_TAG: &str = "latest";

/// The name of a model in a registry. Its [`Display`](fmt::Display) form is the name under which Ollama lists the
/// model once it is pulled: what is default is left out, the tag is always there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    host: String,
    namespace: String,
    name: String,
    tag: String,
}

/// Why a text is not the name of a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing there.
    #[error("the name of the model is empty")]
    Empty,
    /// Too many parts.
    #[error("\"{reference}\" has more parts than host/namespace/name:tag")]
    TooManyParts {
        /// The whole text.
        reference: String,
    },
    /// A part that Ollama would not take.
    #[error("\"{part}\" in \"{reference}\" is not a {what}: letters, digits, \"-\", \"_\" and \".\" only")]
    Part {
        /// The whole text.
        reference: String,
        /// The part.
        part: String,
        /// What it should be.
        what: Part,
    },
}

/// The parts of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Host, with or without a port.
    Host,
    /// Namespace.
    Namespace,
    /// Name.
    Name,
    /// Tag.
    Tag,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Namespace => "namespace",
            Self::Name => "name",
            Self::Tag => "tag",
        })
    }
}

impl ReferenceError {
    /// What is wrong and what to write.
    pub fn explain(&self, text: Text) -> String {
        match self {
            Self::Empty => say!(text, "reference-empty"),
            Self::TooManyParts { reference } => {
                say!(text, "reference-too-many-parts", reference = reference.as_str())
            }
            Self::Part { reference, part, .. } => {
                say!(text, "reference-part", reference = reference.as_str(), part = part.as_str())
            }
        }
    }
}

impl Reference {
    /// Reads `name`, `name:tag`, `namespace/name:tag`, `host[:port]/namespace/name:tag`, `hf.co/user/repo:QUANT`; a
    /// leading `https://` or `http://`, as in a copied address, is dropped as Ollama does.
    ///
    /// # Errors
    /// When Ollama would refuse the name.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let trimmed = text.trim();
        let rest = trimmed.split_once("://").map_or(trimmed, |(_, rest)| rest);
        if rest.is_empty() {
            return Err(ReferenceError::Empty);
        }
        let parts: Vec<&str> = rest.split('/').collect();
        let (host, namespace, last) = match parts[..] {
            [last] => (DEFAULT_HOST, DEFAULT_NAMESPACE, last),
            [namespace, last] => (DEFAULT_HOST, namespace, last),
            [host, namespace, last] => (host, namespace, last),
            _ => return Err(ReferenceError::TooManyParts { reference: text.to_owned() }),
        };
        let (name, tag) = last.split_once(':').unwrap_or((last, DEFAULT_TAG));
        for (what, part) in
            [(Part::Host, host), (Part::Namespace, namespace), (Part::Name, name), (Part::Tag, tag)]
        {
            if !is_valid(what, part) {
                return Err(ReferenceError::Part { reference: text.to_owned(), part: part.to_owned(), what });
            }
        }
        let [host, namespace, name, tag] = [host, namespace, name, tag].map(str::to_owned);
        Ok(Self { host, namespace, name, tag })
    }

    /// Host of the registry, with its port if it is not the scheme's own.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Namespace, `library` for Ollama's own models.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Name without the tag.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether the model lies in Ollama's own registry.
    pub fn is_from_default_registry(&self) -> bool {
        self.host == DEFAULT_HOST
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host != DEFAULT_HOST {
            write!(f, "{}/{}/", self.host, self.namespace)?;
        } else if self.namespace != DEFAULT_NAMESPACE {
            write!(f, "{}/", self.namespace)?;
        }
        write!(f, "{}:{}", self.name, self.tag)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The rules of Ollama's `types/model/name.go`: the first character a letter, a digit or "_", then also "-" and ".";
/// no "." in a namespace; a host may hold ":"; 1 to 80 characters (hosts to 350).
fn is_valid(what: Part, part: &str) -> bool {
    let longest = if what == Part::Host { 350 } else { 80 };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=longest).contains(&part.len())
        && part.chars().next().is_some_and(word)
        && part.chars().all(|c| match c {
            '-' => true,
            '.' => what != Part::Namespace,
            ':' => what == Part::Host,
            _ => word(c),
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read_and_shown_as_ollama_lists_it() {
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
            assert_eq!(Reference::parse(written).unwrap().to_string(), shown);
        }
        let reference = Reference::parse("127.0.0.1:5000/acme/coder:3b").unwrap();
        assert_eq!(reference.host(), "127.0.0.1:5000");
        assert_eq!((reference.namespace(), reference.name(), reference.tag()), ("acme", "coder", "3b"));
    }

    #[test]
    fn what_ollama_would_refuse_is_refused_by_name() {
        assert_eq!(Reference::parse("  "), Err(ReferenceError::Empty));
        for (written, bad, what) in [
            ("a b", "a b", Part::Name),
            ("x:", "", Part::Tag),
            (":7b", "", Part::Name),
            ("/x:1", "", Part::Namespace),
            ("-x", "-x", Part::Name),
            ("x:7b:8b", "7b:8b", Part::Tag),
            ("../../etc:1", "..", Part::Host),
            ("my.space/x", "my.space", Part::Namespace),
            ("host/ns/na?me:1", "na?me", Part::Name),
        ] {
            match Reference::parse(written) {
                Err(ReferenceError::Part { part, what: found, .. }) => {
                    assert_eq!((part.as_str(), found), (bad, what), "{written}");
                }
                other => assert_eq!(other, Err(ReferenceError::Empty), "{written}"),
            }
        }
        assert!(matches!(Reference::parse("a/b/c/d"), Err(ReferenceError::TooManyParts { .. })));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_shown_reads_back(text in "\\PC{0,60}") {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
            }
        }

        #[test]
        fn sensible_names_read_back(
            host in "[a-z0-9][a-z0-9.-]{0,20}(:[0-9]{1,5})?", ns in "[A-Za-z0-9_][A-Za-z0-9_-]{0,20}",
            name in "[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", tag in "[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}",
        ) {
            let reference = Reference::parse(&format!("{host}/{ns}/{name}:{tag}")).unwrap();
            prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
        }
    }
}
