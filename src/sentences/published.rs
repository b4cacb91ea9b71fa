//! Sentences about the file of a model: whether its figures are those of the file that will be downloaded.

use crate::models::{Model, ModelSource, listed_model};
use crate::ollama::registry::RegistryError;
use crate::say;
use crate::text::Text;
use crate::untrusted::UntrustedText;

/// Digits of a checksum that are shown.
const SHOWN_DIGITS: usize = 12;

/// What is known of the file of a model, a sentence each: where its figures come from, how it differs from the
/// catalogue's, why it was not read. Empty for a model whose file was not wanted.
pub fn file_sentences(model: &Model, problem: Option<&RegistryError>, text: Text) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(changed_file(model, text));
    let digest = model.file.sha256.map(|sha256| sha256.to_string()).unwrap_or_default();
    let digest = digest.get(..SHOWN_DIGITS).unwrap_or_default();
    match (model.file.source, model.tag()) {
        (ModelSource::Registry, Some(tag)) => {
            said.push(say!(text, "plan-file-of-registry", host = tag.host(), digest = digest));
        }
        (ModelSource::File, _) => said.extend(model.local.as_ref().map(|local| {
            let path = UntrustedText::path(local.path());
            match local.parts.len() {
                1 => say!(text, "plan-file-of-user", path = path),
                parts => say!(text, "plan-file-of-user-parts", path = path, parts = parts.to_string()),
            }
        })),
        (ModelSource::Store, _) => said.push(say!(text, "plan-file-of-store", digest = digest)),
        _ => {}
    }
    if let Some(problem) = problem {
        let why = problem.explain(text);
        said.push(match model.file.source {
            ModelSource::Catalogue => say!(text, "plan-file-not-read", problem = why),
            _ => say!(text, "plan-file-not-compared", problem = why),
        });
    }
    said
}

/// How the file of a model differs from the catalogue's, with the figures of both; `None` where it does not, or the
/// catalogue does not list it.
pub fn changed_file(model: &Model, text: Text) -> Option<String> {
    let listed = listed_model(model)?;
    if model.file.source == ModelSource::Catalogue || !model.is_other_file_than(&listed) {
        return None;
    }
    let (now, before) = (figures(model, text), figures(&listed, text));
    Some(say!(text, "plan-file-changed", model = model.name.as_str(), now = now, before = before))
}

/// The file of a model is being read.
pub fn reading_file(model: &Model, text: Text) -> String {
    let host = model.tag().map_or("", |tag| tag.host());
    say!(text, "plan-file-reading", host = host)
}

fn figures(model: &Model, text: Text) -> String {
    say!(
        text,
        "plan-file-figures",
        size = text.file_size(model.download_bytes),
        quantisation = model.quantisation.name(),
        layers = model.total_layers(),
        context = text.count(model.trained_context_tokens.into())
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::models::{Catalogue, ModelFile};
    use crate::ollama::registry::UnreachableCause;
    use crate::text::Language;

    #[test]
    fn a_changed_file_is_said_with_the_figures_of_both() {
        let listed = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
        let file =
            ModelFile { source: ModelSource::Registry, sha256: Some("ab".repeat(32).parse().unwrap()) };
        let same = Model { file, ..(*listed).clone() };
        let larger = Model { download_bytes: 9_100_000_000, ..same.clone() };
        for language in Language::ALL {
            let text = Text::new(language);
            assert_eq!(file_sentences(&listed, None, text), Vec::<String>::new());
            let said = file_sentences(&same, None, text);
            assert!(said.len() == 1 && said[0].contains("registry.ollama.ai"), "{said:?}");
            assert!(said[0].contains("abababababab") && !said[0].contains("ababababababa"), "{said:?}");
            let said = file_sentences(&larger, None, text);
            for figure in [text.file_size(9_100_000_000), text.file_size(listed.download_bytes)] {
                assert!(said[0].contains(&figure), "{figure} in {said:?}");
            }
        }
    }

    #[test]
    fn figures_of_the_catalogue_are_marked_with_the_reason() {
        let listed = Catalogue::built_in().find("qwen2.5-coder:7b").unwrap();
        let host = "registry.ollama.ai".to_owned();
        let problem = RegistryError::Unreachable {
            host,
            cause: UnreachableCause::Slow { seconds: 5 },
            encrypted: false,
        };
        for (language, catalogue) in
            [(Language::English, "the catalogue's"), (Language::Spanish, "del catálogo")]
        {
            let said = file_sentences(&listed, Some(&problem), Text::new(language));
            assert!(said.len() == 1 && said[0].contains(catalogue) && said[0].contains("5"), "{said:?}");
        }
    }
}
