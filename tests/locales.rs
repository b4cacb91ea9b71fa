//! Every message is used. The build checks that each exists in every language, parses and gets its arguments
//! (`build/messages.rs`, `say!`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use acolyte::text::messages::{MESSAGES, is_message};

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_message_is_used() {
    let sources: Vec<String> = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert!(MESSAGES.len() > 100, "the message files were found");
    let unused: Vec<&str> = MESSAGES
        .iter()
        .map(|(key, _)| *key)
        .filter(|key| !sources.iter().any(|source| source.contains(&format!("\"{key}\""))))
        .collect();
    assert!(unused.is_empty(), "defined and never said: {}", unused.join(", "));
}

#[test]
fn messages_are_found_by_key_and_arguments() {
    for (key, arguments) in MESSAGES {
        assert!(key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{key}");
        let mut reversed = arguments.to_vec();
        reversed.reverse();
        assert!(is_message(key, &reversed), "{key}: in any order");
        assert!(!is_message(key, &[arguments, &["more"][..]].concat()), "{key}: one too many");
        if let [_, fewer @ ..] = arguments {
            assert!(!is_message(key, fewer), "{key}: one too few");
        }
        assert!(!is_message(&format!("{key}-x"), arguments), "{key}: another key");
    }
}
