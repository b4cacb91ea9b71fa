//! Recognises a path in another spelling.
//!
//! Windows has many for one folder: in other letters (`c:\USERS`), with the prefix of long paths (`\\?\C:\Users`), short
//! names (`C:\Users\JOSN~1`), another drive (`subst`), and through a junction. The system resolves them all; what is left
//! is the prefix and the case.

use std::path::{Path, PathBuf};

/// Whether a path is a folder or below it, in whatever spelling.
pub fn is_below(path: &Path, folder: &Path) -> bool {
    if path.starts_with(folder) {
        return true;
    }
    let (path, folder) = (resolved(path), resolved(folder));
    path.starts_with(&folder)
        || cfg!(windows) && is_below_on_windows(&path.to_string_lossy(), &folder.to_string_lossy())
}

/// A path as the system spells it, as far as it exists: without links, short names and other names of drives, in the
/// letters that are on the drive.
pub fn resolved(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|above| Some((above, std::fs::canonicalize(above).ok()?)));
    let Some((above, real)) = existing else { return path.to_owned() };
    let real = match real.to_str().filter(|_| cfg!(windows)) {
        Some(text) => PathBuf::from(without_prefix(text)),
        None => real,
    };
    match path.strip_prefix(above) {
        Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
        _ => real,
    }
}

/// A key that is equal for all spellings of a path.
pub fn key(path: &Path) -> String {
    if cfg!(windows) { windows_key(&resolved(path).to_string_lossy()) } else { path.to_string_lossy().into() }
}

/// A path without the prefix that lifts the limit of its length.
fn without_prefix(path: &str) -> String {
    match path.strip_prefix(r"\\?\") {
        Some(rest) if rest.get(..4).is_some_and(|unc| unc.eq_ignore_ascii_case(r"UNC\")) => {
            format!(r"\\{}", &rest[4..])
        }
        Some(rest) => rest.to_owned(),
        None => path.to_owned(),
    }
}

/// A path in lower case, with one kind of separators and none at its end.
fn windows_key(path: &str) -> String {
    let path = without_prefix(&path.replace('/', r"\")).to_lowercase();
    path.trim_end_matches('\\').to_owned()
}

fn is_below_on_windows(path: &str, folder: &str) -> bool {
    let (path, folder) = (windows_key(path), windows_key(folder));
    path.strip_prefix(&folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn windows_paths_are_equal_in_any_case_and_with_any_prefix() {
        let home = r"C:\Users\José Núñez\.acolyte";
        let engine = r"\ollama\0.32.15\bin\ollama.exe";
        for spelling in [
            r"C:\Users\José Núñez\.acolyte",
            r"c:\USERS\JOSÉ NÚÑEZ\.Acolyte\",
            r"\\?\C:\Users\José Núñez\.acolyte",
            "C:/Users/José Núñez/.acolyte",
        ] {
            assert_eq!(windows_key(spelling), windows_key(home), "{spelling}");
            assert!(is_below_on_windows(&format!("{home}{engine}"), spelling), "{spelling}");
            assert!(is_below_on_windows(&format!("{spelling}{engine}"), home), "{spelling}");
        }
        for other in [r"C:\Users\José Núñez\.acolyte-2", r"D:\Users\José Núñez\.acolyte", r"C:\Users"] {
            assert!(!is_below_on_windows(&format!("{other}{engine}"), home), "{other}");
        }
        let share = r"\\server\share\acolyte";
        assert_eq!(windows_key(r"\\?\UNC\Server\share\acolyte"), windows_key(share));
        assert!(is_below_on_windows(&format!("{share}{engine}"), r"\\?\unc\server\Share\acolyte"));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_recognised_through_a_link_also_for_what_does_not_exist_yet() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(is_below(&link.join("bin/ollama"), &real) && is_below(&real.join("x"), &link));
        assert!(!is_below(folder.path(), &real) && !is_below(&folder.path().join("real-2"), &real));
        assert_eq!(resolved(&link.join("a/b")), std::fs::canonicalize(&real).unwrap().join("a/b"));
    }
}
