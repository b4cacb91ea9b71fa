//! Every message exists in both languages with the same arguments, is used, and gets the arguments it needs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Messages of a language: key → names of its arguments.
type Messages = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|ext| ext == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn messages(language: &str) -> Messages {
    let mut messages = Messages::new();
    for path in files(&root().join("assets/locales").join(language), "ftl") {
        let mut current: Option<String> = None;
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            if let Some((key, _)) = line.split_once(" =").filter(|_| line.starts_with(char::is_alphabetic)) {
                let is_kebab = key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
                assert!(is_kebab, "{}: {key} is not written-like-this", path.display());
                let twice = messages.insert(key.to_owned(), BTreeSet::new());
                assert!(twice.is_none(), "{}: {key} is defined twice", path.display());
                current = Some(key.to_owned());
            }
            if line.starts_with('#') {
                current = None;
            }
            if let Some(key) = &current {
                messages.get_mut(key).unwrap().extend(arguments_in(line));
            }
        }
    }
    messages
}

/// The `$names` of a line.
fn arguments_in(line: &str) -> impl Iterator<Item = String> {
    line.split('$')
        .skip(1)
        .map(|rest| {
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect::<String>()
        })
        .filter(|name| !name.is_empty())
}

/// The program's text without comments.
fn sources() -> Vec<(PathBuf, String)> {
    files(&root().join("src"), "rs")
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            (path, code.join("\n"))
        })
        .collect()
}

/// A `say!(text, "key", name = …)` in the program.
struct Use {
    key: String,
    arguments: BTreeSet<String>,
}

fn uses(code: &str) -> Vec<Use> {
    code.match_indices("say!(")
        .filter_map(|(start, opening)| {
            let parts = split_arguments(&code[start + opening.len()..]);
            let key = parts.get(1)?.trim().strip_prefix('"')?.strip_suffix('"')?.to_owned();
            let arguments = parts[2..]
                .iter()
                .filter_map(|part| Some(part.split_once('=')?.0.trim().to_owned()))
                .filter(|name| !name.is_empty())
                .collect();
            Some(Use { key, arguments })
        })
        .collect()
}

/// What stands between the commas up to the closing parenthesis.
fn split_arguments(code: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    for c in code.chars() {
        match c {
            '"' if !escaped => in_string = !in_string,
            '(' | '[' | '{' if !in_string => depth += 1,
            ')' | ']' | '}' if !in_string => {
                if depth == 0 {
                    break;
                }
                depth -= 1;
            }
            ',' if !in_string && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        parts.last_mut().unwrap().push(c);
    }
    parts
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_arguments() {
    let (english, spanish) = (messages("en"), messages("es"));
    assert!(english.len() > 100, "the message files were found");
    let only = |a: &Messages, b: &Messages| -> Vec<String> {
        a.keys().filter(|key| !b.contains_key(*key)).cloned().collect()
    };
    assert_eq!(only(&english, &spanish), Vec::<String>::new(), "not in Spanish");
    assert_eq!(only(&spanish, &english), Vec::<String>::new(), "not in English");
    for (key, arguments) in &english {
        assert_eq!(arguments, &spanish[key], "arguments of {key}");
    }
}

#[test]
fn every_message_file_is_compiled_in() {
    let list = std::fs::read_to_string(root().join("src/text/mod.rs")).unwrap();
    for language in ["en", "es"] {
        for path in files(&root().join("assets/locales").join(language), "ftl") {
            let name = format!("locales/{language}/{}", path.file_name().unwrap().to_str().unwrap());
            assert!(list.contains(&name), "{name} is not in src/text/mod.rs");
        }
    }
}

#[test]
fn every_message_that_is_said_exists_and_gets_its_arguments() {
    let english = messages("en");
    let mut mistakes = Vec::new();
    let mut count = 0;
    for (path, code) in sources() {
        for Use { key, arguments } in uses(&code) {
            count += 1;
            match english.get(&key) {
                None => mistakes.push(format!("{}: {key} does not exist", path.display())),
                Some(needed) if !needed.is_subset(&arguments) => {
                    mistakes
                        .push(format!("{}: {key} needs {needed:?} and gets {arguments:?}", path.display()));
                }
                Some(_) => {}
            }
        }
    }
    assert!(count > 100, "the uses were found");
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn every_message_is_used() {
    let sources = sources();
    let unused: Vec<String> = messages("en")
        .into_keys()
        .filter(|key| !sources.iter().any(|(_, code)| code.contains(&format!("\"{key}\""))))
        .collect();
    assert!(unused.is_empty(), "defined and never said: {}", unused.join(", "));
}

#[test]
fn every_message_file_is_valid() {
    for language in ["en", "es"] {
        for path in files(&root().join("assets/locales").join(language), "ftl") {
            let text = std::fs::read_to_string(&path).unwrap();
            if let Err((_, errors)) = fluent_bundle::FluentResource::try_new(text) {
                panic!("{}: {errors:?}", path.display());
            }
        }
    }
}
