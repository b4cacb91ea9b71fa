//! Parses names of models and files into normalised words and quantisation.
//!
//! `llama3.1:8b-instruct-q8_0`, `Meta-Llama-3.1-8B-Instruct-Q8_0.gguf` and
//! `hf.co/bartowski/Meta-Llama-3.1-8B-Instruct-GGUF:Q8_0` are one model.

use super::Quantisation;

/// Words that do not identify an architecture.
const NOISE: [&str; 23] = [
    "instruct",
    "it",
    "chat",
    "gguf",
    "base",
    "text",
    "latest",
    "meta",
    "imat",
    "imatrix",
    "i1",
    "hf",
    "ud",
    "library",
    "google",
    "microsoft",
    "mistralai",
    "nvidia",
    "qat",
    "preview",
    "model",
    "v0",
    "openai",
];

/// The words that identify a model, sorted, and the quantisation if the name has one. `None` if no words are left.
pub(super) fn split(name: &str) -> Option<(Vec<String>, Option<Quantisation>)> {
    let name = name.trim().to_lowercase();
    let (path, tag) = match name.rsplit_once(':') {
        // A colon before a slash is part of a port.
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (name.as_str(), ""),
    };
    let last = path.rsplit('/').next().unwrap_or(path);
    let last = last.strip_suffix(".gguf").unwrap_or(last);
    let joined = format!("{last}-{tag}");
    let (rest, quantisation) = take_quantisation(&joined);
    let mut words: Vec<String> = rest
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
        .flat_map(split_digits)
        .filter(|word| !word.is_empty() && !NOISE.contains(&word.as_str()))
        .collect();
    words.sort();
    words.dedup();
    (!words.is_empty()).then_some((words, quantisation))
}

/// Whether a word is a size: `7b`, `0.6b`, `270m`, `a3b`.
pub(super) fn is_size(word: &str) -> bool {
    let number = word.strip_suffix(['b', 'm']).map(|n| n.strip_prefix(['a', 'e']).unwrap_or(n));
    number.is_some_and(|n| n.parse::<f64>().is_ok())
}

/// Removes the longest quantisation name from `name`.
fn take_quantisation(name: &str) -> (String, Option<Quantisation>) {
    let mut known: Vec<(String, Quantisation)> =
        Quantisation::ALL.into_iter().map(|q| (q.name().to_lowercase(), q)).collect();
    known.push(("fp16".to_owned(), Quantisation::F16));
    known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    for (text, quantisation) in known {
        for (at, _) in name.match_indices(&text) {
            let end = at + text.len();
            let outside = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
            let before = name.get(..at).and_then(|s| s.chars().next_back());
            let after = name.get(end..).and_then(|s| s.chars().next());
            if (outside(before) || before == Some('_')) && outside(after) {
                let rest = format!("{} {}", name.get(..at).unwrap_or(""), name.get(end..).unwrap_or(""));
                return (rest, Some(quantisation));
            }
        }
    }
    (name.to_owned(), None)
}

/// `llama3.1` is `llama` and `3.1`; `8b` stays whole, and so does `a3b`.
fn split_digits(word: &str) -> Vec<String> {
    let letters = word.find(|c: char| c.is_ascii_digit()).unwrap_or(word.len());
    let (head, tail) = word.split_at(letters);
    let tail = tail.trim_end_matches('.');
    if head.len() > 1 && !tail.is_empty() {
        vec![head.to_owned(), tail.to_owned()]
    } else {
        vec![format!("{head}{tail}")]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_model_has_many_names() {
        let expected =
            (vec!["3.1".to_owned(), "8b".to_owned(), "llama".to_owned()], Some(Quantisation::Q8_0));
        for name in [
            "llama3.1:8b-instruct-q8_0",
            "Meta-Llama-3.1-8B-Instruct-Q8_0.gguf",
            "hf.co/bartowski/Meta-Llama-3.1-8B-Instruct-GGUF:Q8_0",
            "localhost:5000/library/llama3.1:8b-q8_0",
        ] {
            assert_eq!(split(name).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn a_longer_name_of_a_quantisation_wins() {
        assert_eq!(split("qwen3:8b-q4_K_M").unwrap().1, Some(Quantisation::Q4_K_M));
        assert_eq!(split("gpt-oss-20b-MXFP4.gguf").unwrap().1, Some(Quantisation::MXFP4));
        assert_eq!(split("qwen3:8b").unwrap().1, None);
    }

    #[test]
    fn a_name_of_noise_words_only_is_rejected() {
        assert_eq!(split(""), None);
        assert_eq!(split("instruct.gguf"), None);
        assert_eq!(split(":::///"), None);
    }
}
