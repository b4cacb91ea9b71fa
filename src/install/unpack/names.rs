//! Checks the names and link targets of archive entries.

use std::collections::HashMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameProblem {
    /// Not UTF-8, or holds a control character.
    NotText,
    /// Empty, or nothing but `.`.
    Empty,
    /// An absolute path.
    Absolute,
    /// Leads out of the folder with `..`.
    Climbs,
    /// A name with a special meaning on this system (`NUL`, `a:b`, `name.`), or a backslash.
    NotPortable,
    /// Longer than file systems allow.
    TooLong,
    /// A duplicate.
    Twice,
    /// Differs only in case from another, on a case-insensitive system.
    CaseClash,
    /// Its path leads through a link or a file.
    ThroughLink,
    /// A link that leads outside.
    LinkOutside,
    /// A hard link to anything but a file of this archive.
    LinkToNothing,
    /// A device, pipe or sparse file, which no release contains.
    Special,
    /// Encrypted.
    Encrypted,
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotText => "is not text",
            Self::Empty => "is empty",
            Self::Absolute => "is an absolute path",
            Self::Climbs => "climbs out of the folder",
            Self::NotPortable => "this system would read as something else",
            Self::TooLong => "is too long",
            Self::Twice => "is there twice",
            Self::CaseClash => "differs from another only in case",
            Self::ThroughLink => "would be written through a link",
            Self::LinkOutside => "is a link that leads outside",
            Self::LinkToNothing => "is a link to nothing in the archive",
            Self::Special => "is neither a file, a folder nor a link",
            Self::Encrypted => "is encrypted",
        })
    }
}

/// How a system interprets names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameRules {
    /// `A` and `a` name the same file.
    pub ignores_case: bool,
    /// Device names, drive letters, forbidden characters and trailing dots matter.
    pub windows: bool,
}

impl NameRules {
    /// Rules of the current system. macOS file systems are usually case-insensitive.
    pub const HERE: Self =
        Self { ignores_case: cfg!(any(windows, target_os = "macos")), windows: cfg!(windows) };
}

/// The longest component and path that all common file systems allow, in bytes.
const MAX_COMPONENT_BYTES: usize = 255;
const MAX_PATH_BYTES: usize = 1024;

/// A checked, relative path of an entry: normal components only.
///
/// # Errors
/// Why the name is refused.
pub fn relative_path(name: &[u8], rules: NameRules) -> Result<PathBuf, NameProblem> {
    let name = std::str::from_utf8(name).map_err(|_| NameProblem::NotText)?;
    if name.chars().any(char::is_control) {
        return Err(NameProblem::NotText);
    }
    if name.len() > MAX_PATH_BYTES {
        return Err(NameProblem::TooLong);
    }
    if name.starts_with('/') || name.starts_with('\\') || has_drive(name) {
        return Err(NameProblem::Absolute);
    }
    let mut path = PathBuf::new();
    for component in name.split('/') {
        match component {
            "" | "." => {}
            ".." => return Err(NameProblem::Climbs),
            _ => {
                check_component(component, rules)?;
                path.push(component);
            }
        }
    }
    // Most tars start with `./`, the folder itself.
    if path.as_os_str().is_empty() && !name.contains('.') {
        return Err(NameProblem::Empty);
    }
    Ok(path)
}

fn has_drive(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':'
}

fn check_component(component: &str, rules: NameRules) -> Result<(), NameProblem> {
    if component.len() > MAX_COMPONENT_BYTES {
        return Err(NameProblem::TooLong);
    }
    // A backslash is a separator on Windows and an ordinary character elsewhere.
    if component.contains('\\') {
        return Err(NameProblem::NotPortable);
    }
    if !rules.windows {
        return Ok(());
    }
    let stem = component.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            let mut chars = rest.chars();
            matches!((chars.next(), chars.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered("COM")
        || numbered("LPT");
    if device || component.ends_with(['.', ' ']) || component.contains(['<', '>', ':', '"', '|', '?', '*']) {
        return Err(NameProblem::NotPortable);
    }
    Ok(())
}

/// Resolves the target of the link at `link` lexically; an error if it is outside the folder.
///
/// # Errors
/// When it is outside the folder, or is not a relative path.
pub fn link_destination(link: &Path, target: &str) -> Result<PathBuf, NameProblem> {
    if target.is_empty() {
        return Err(NameProblem::LinkToNothing);
    }
    if target.starts_with('/') || has_drive(target) || target.contains('\\') {
        return Err(NameProblem::LinkOutside);
    }
    let mut at: Vec<_> = link.parent().into_iter().flat_map(Path::components).collect();
    for component in Path::new(target).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                at.pop().ok_or(NameProblem::LinkOutside)?;
            }
            // To Windows, a part with a colon names a drive or a second stream of a file.
            Component::Normal(part) if cfg!(windows) && part.to_string_lossy().contains(':') => {
                return Err(NameProblem::LinkOutside);
            }
            Component::Normal(_) => at.push(component),
            Component::RootDir | Component::Prefix(_) => return Err(NameProblem::LinkOutside),
        }
    }
    Ok(at.iter().collect())
}

/// Names seen so far, to find duplicates and names that collide on this system.
#[derive(Debug)]
pub struct Seen {
    rules: NameRules,
    names: HashMap<String, ClaimedName>,
}

#[derive(Debug)]
struct ClaimedName {
    path: PathBuf,
    is_folder: bool,
}

impl Seen {
    /// No names yet.
    pub fn new(rules: NameRules) -> Self {
        Self { rules, names: HashMap::new() }
    }

    /// Records a path and its parent folders.
    ///
    /// # Errors
    /// When the path collides with an earlier one.
    pub fn note(&mut self, path: &Path, is_folder: bool) -> Result<(), NameProblem> {
        let folders: Vec<&Path> =
            path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
        for folder in folders.into_iter().rev() {
            self.note_one(folder, true)?;
        }
        self.note_one(path, is_folder)
    }

    fn note_one(&mut self, path: &Path, is_folder: bool) -> Result<(), NameProblem> {
        let name = path.to_string_lossy();
        let key = if self.rules.ignores_case { fold(&name) } else { name.into_owned() };
        match self.names.get(&key) {
            None => {
                self.names.insert(key, ClaimedName { path: path.to_owned(), is_folder });
                Ok(())
            }
            Some(known) if known.path != path => Err(NameProblem::CaseClash),
            Some(known) if known.is_folder && is_folder => Ok(()),
            Some(known) if known.is_folder != is_folder => Err(NameProblem::ThroughLink),
            Some(_) => Err(NameProblem::Twice),
        }
    }
}

/// Folds names that a case-insensitive file system could treat as equal: to upper case first, as NTFS compares (`ſ` and
/// `s` share it), then to lower case.
fn fold(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const LINUX: NameRules = NameRules { ignores_case: false, windows: false };
    const WINDOWS: NameRules = NameRules { ignores_case: true, windows: true };

    #[test]
    fn ordinary_names_are_accepted() {
        for name in
            ["bin/ollama", "./lib/ollama/libggml-cpu-haswell.so", "lib/ollama/cuda_v13/", "ñandú/über.txt"]
        {
            assert!(relative_path(name.as_bytes(), WINDOWS).is_ok(), "{name}");
        }
        assert_eq!(relative_path(b"./", LINUX), Ok(PathBuf::new()));
        assert_eq!(relative_path(b"a//./b/", LINUX), Ok(PathBuf::from("a/b")));
    }

    #[test]
    fn hostile_names_are_refused() {
        use NameProblem::{Absolute, Climbs, Empty, NotPortable, NotText, TooLong};
        let long = "x".repeat(256);
        for (name, problem) in [
            ("/etc/passwd", Absolute),
            ("\\\\server\\share", Absolute),
            ("C:\\Windows", Absolute),
            ("c:evil", Absolute),
            ("../evil", Climbs),
            ("a/../../evil", Climbs),
            ("a/..", Climbs),
            ("a\\..\\..\\evil", NotPortable),
            ("", Empty),
            ("a\0b", NotText),
            ("a\nb", NotText),
            (long.as_str(), TooLong),
        ] {
            assert_eq!(relative_path(name.as_bytes(), LINUX), Err(problem), "{name}");
        }
        assert_eq!(relative_path(b"\xff\xfe", LINUX), Err(NotText));
        for name in [
            "NUL",
            "lib/aux.txt",
            "COM1",
            "lpt9.dll",
            "con .txt",
            "ab:stream",
            "name.",
            "name ",
            "a?b",
            "LPT²",
        ] {
            assert_eq!(relative_path(name.as_bytes(), WINDOWS), Err(NotPortable), "{name}");
            assert!(relative_path(name.as_bytes(), LINUX).is_ok(), "{name}");
        }
        assert!(relative_path(b"console.txt", WINDOWS).is_ok());
    }

    #[test]
    fn links_stay_inside() {
        let at = Path::new("lib/ollama/libfoo.so");
        assert_eq!(link_destination(at, "libfoo.so.1"), Ok("lib/ollama/libfoo.so.1".into()));
        assert_eq!(link_destination(at, "../../bin/ollama"), Ok("bin/ollama".into()));
        for target in ["/etc/passwd", "../../../x", "C:\\x", "..\\..\\x", "../../../../../../tmp"] {
            assert_eq!(link_destination(at, target), Err(NameProblem::LinkOutside), "{target}");
        }
        assert_eq!(link_destination(at, ""), Err(NameProblem::LinkToNothing));
    }

    #[test]
    fn collisions_are_found_where_they_matter() {
        let mut seen = Seen::new(WINDOWS);
        seen.note(Path::new("Lib/a"), false).unwrap();
        seen.note(Path::new("Lib"), true).unwrap();
        assert_eq!(seen.note(Path::new("lib/b"), false), Err(NameProblem::CaseClash));
        assert_eq!(seen.note(Path::new("Lib/A"), false), Err(NameProblem::CaseClash));
        assert_eq!(seen.note(Path::new("Lib/a"), false), Err(NameProblem::Twice));
        assert_eq!(seen.note(Path::new("Lib/a/b"), false), Err(NameProblem::ThroughLink));
        let mut seen = Seen::new(WINDOWS);
        seen.note(Path::new("straße"), false).unwrap();
        assert_eq!(seen.note(Path::new("STRASSE"), false), Err(NameProblem::CaseClash));
        let mut seen = Seen::new(LINUX);
        seen.note(Path::new("a"), false).unwrap();
        seen.note(Path::new("A"), false).unwrap();
    }

    proptest! {
        #[test]
        fn accepted_names_are_relative_and_normal(name in prop::collection::vec(any::<u8>(), 0..40), windows: bool) {
            let rules = if windows { WINDOWS } else { NameRules::HERE };
            if let Ok(path) = relative_path(&name, rules) {
                prop_assert!(path.components().all(|c| matches!(c, Component::Normal(_))));
            }
        }

        #[test]
        fn paths_of_hostile_parts_stay_inside(
            parts in prop::collection::vec(prop::sample::select(vec!["..", ".", "", "a", "b:", "\\", "/", "C:", "..a"]), 0..8)
        ) {
            if let Ok(path) = relative_path(parts.join("/").as_bytes(), NameRules::HERE) {
                prop_assert!(path.components().all(|c| matches!(c, Component::Normal(_))));
            }
            if let Ok(destination) = link_destination(Path::new("x/y"), &parts.join("/")) {
                prop_assert!(destination.components().all(|c| matches!(c, Component::Normal(_))));
            }
        }
    }
}
