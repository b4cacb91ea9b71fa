//! What runs on macOS alone is listed in docs/packaging.md, with what is tested of it on other systems.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{at, text_of};

/// Files of `src` with code for macOS alone, or with decisions that depend on it.
fn files_with_code_for_macos(folder: &Path, files: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with_code_for_macos(&path, files);
        } else if std::fs::read_to_string(&path).unwrap().contains("target_os = \"macos\"") {
            files.insert(path.strip_prefix(at("")).unwrap().to_str().unwrap().to_owned());
        }
    }
}

#[test]
fn every_file_with_code_for_macos_is_listed_with_what_tests_it() {
    let mut files = BTreeSet::new();
    files_with_code_for_macos(&at("src"), &mut files);
    let page = text_of("docs/packaging.md");
    let table = page.split_once("### On macOS alone\n").unwrap().1.split("\n## ").next().unwrap();
    let listed: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `src/")?.split_once('`'))
        .map(|(path, _)| format!("src/{path}"))
        .collect();
    assert_eq!(files, listed);
    // Each test that a row names exists.
    for (place, name) in table.split("`").filter_map(|code| code.rsplit_once("::")) {
        let path = format!("{}.rs", place.replace("::", "/"));
        let path = if at(&path).is_file() { path } else { format!("{}/mod.rs", place.replace("::", "/")) };
        assert!(text_of(&path).contains(&format!("fn {name}(")), "{place}::{name}");
    }
}
