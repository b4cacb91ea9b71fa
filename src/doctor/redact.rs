//! Removes personal data from a report: names of user and machine, home folders, addresses, unique numbers, passwords
//! and keys.
//!
//! Logs and error texts: only lines that are known to be harmless are kept ([`harmless`]). Short texts (settings, names
//! of models, paths): everything in the form of a secret is removed ([`secrets`]), rather too much than too little. In
//! both, names of this user and this computer are replaced.

mod harmless;
mod secrets;

use std::path::Path;

use harmless::{HarmlessWords, LEFT_OUT};
pub use secrets::is_secret_name;

use crate::platform::environment::Environment;

/// Parents of home folders and of named drives, in any case.
const HOME_PARENTS: [&str; 7] =
    ["/home/", "/users/", "\\users\\", "\\documents and settings\\", "/run/media/", "/media/", "/volumes/"];
/// Accounts that do not identify a user.
const COMMON_ACCOUNTS: [&str; 3] = ["root", "administrator", "system"];
/// Minimum length of a part of a name; shorter ones occur in too many words.
const MIN_PART_CHARS: usize = 3;
/// Names of at least this length are replaced inside words too: `MariaLaptop`.
const MIN_CHARS_IN_WORD: usize = 5;

/// Names and folders to replace.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    home: Option<String>,
    /// Names and their replacements.
    names: Vec<(String, &'static str)>,
}

impl Secrets {
    /// Names and home folder of this machine and user.
    pub fn of_this_machine() -> Self {
        let environment = Environment::of_process();
        let set = |names: &[&str]| -> Vec<String> {
            names.iter().filter_map(|name| environment.text(name)).collect()
        };
        let mut users = set(&["USER", "LOGNAME", "USERNAME", "SUDO_USER"]);
        let home = environment.home_dir();
        users.extend(full_name(&users, home.as_deref()));
        let hosts: Vec<String> =
            sysinfo::System::host_name().ok().into_iter().chain(set(&["HOSTNAME", "COMPUTERNAME"])).collect();
        Self::new(
            home.as_deref(),
            &users.iter().map(String::as_str).collect::<Vec<_>>(),
            &hosts.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    }

    /// Given names and home folder.
    pub fn new(home: Option<&Path>, users: &[&str], hosts: &[&str]) -> Self {
        let folder_name = home.and_then(Path::file_name).and_then(|name| name.to_str());
        let short_hosts = hosts.iter().filter_map(|host| host.split('.').next());
        // Every part of a name: "Ana María López" may occur as "López".
        let parts = |name: &str| -> Vec<String> {
            name.split(|c: char| !c.is_alphanumeric())
                .filter(|part| part.chars().count() >= MIN_PART_CHARS)
                .map(str::to_owned)
                .collect()
        };
        let users = users.iter().copied().chain(folder_name);
        let hosts = hosts.iter().copied().chain(short_hosts);
        let mut names: Vec<(String, &'static str)> = users
            .flat_map(|name| parts(name).into_iter().chain([name.to_owned()]))
            .map(|name| (name, "USER"))
            .chain(hosts.map(|name| (name.to_owned(), "HOST")))
            .map(|(name, stand_in)| (name.to_lowercase(), stand_in))
            .filter(|(name, _)| name.chars().count() > 1 && !COMMON_ACCOUNTS.contains(&name.as_str()))
            .collect();
        // Longer names first, so that no part of one is replaced before it.
        names.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        names.dedup_by(|(a, _), (b, _)| a == b);
        let home = home.and_then(Path::to_str).filter(|home| home.len() > 1).map(str::to_owned);
        Self { home, names }
    }

    /// Replaces home folders in a path or short message. Everything else is unchanged, so that the name of a graphics
    /// card is kept even if the user is called "nvidia".
    pub fn path(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(home) = &self.home {
            text = replace_path(&text, home, "~");
        }
        for parent in HOME_PARENTS {
            text = mask_child(&text, parent);
        }
        text
    }

    /// Redacts a short text (a setting, the name of a model).
    pub fn line(&self, line: &str) -> String {
        secrets::mask(&self.without_names(&secrets::plain(line)))
    }

    /// An error text of a driver or the system, if it is harmless.
    pub fn error(&self, text: &str) -> String {
        if text.is_empty() || HarmlessWords::of_logs().are_all(text) {
            return self.without_names(text);
        }
        LEFT_OUT.to_owned()
    }

    /// The harmless lines of a log.
    pub fn log<'a>(&self, lines: impl Iterator<Item = &'a str>) -> Vec<String> {
        HarmlessWords::of_logs().log(lines).iter().map(|line| self.without_names(line)).collect()
    }

    /// The lines of our own messages that consist of words from `texts`.
    pub fn own_lines<'a>(&self, lines: impl Iterator<Item = &'a str>, texts: &[&str]) -> Vec<String> {
        HarmlessWords::with(texts).plain(lines).iter().map(|line| self.without_names(line)).collect()
    }

    fn without_names(&self, text: &str) -> String {
        let mut text = self.path(text);
        for (name, stand_in) in &self.names {
            text = replace_word(&text, name, stand_in);
        }
        text
    }
}

/// The user's full name from `/etc/passwd`.
#[cfg(unix)]
fn full_name(users: &[String], home: Option<&Path>) -> Option<String> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    name_in(&accounts, users, home)
}

/// Not read on Windows; the folder below `Users` is often the name.
#[cfg(not(unix))]
fn full_name(_users: &[String], _home: Option<&Path>) -> Option<String> {
    None
}

#[cfg_attr(not(unix), allow(dead_code))]
fn name_in(accounts: &str, users: &[String], home: Option<&Path>) -> Option<String> {
    accounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [user, _, _, _, comment, folder, ..] = fields[..] else { return None };
        let ours = users.iter().any(|one| one == user) || home.is_some_and(|home| home == Path::new(folder));
        ours.then(|| comment.split(',').next().unwrap_or_default().to_owned())
    })
}

/// Replaces a folder that is a whole path or the start of one.
fn replace_path(text: &str, folder: &str, stand_in: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(folder) {
        let (prefix, found) = rest.split_at(at);
        let after = &found[folder.len()..];
        let ends = after.chars().next().is_none_or(|c| !(c.is_alphanumeric() || "-_.".contains(c)));
        out.push_str(prefix);
        out.push_str(if ends { stand_in } else { folder });
        rest = after;
    }
    out + rest
}

/// `/home/maria/x` → `/home/USER/x`.
fn mask_child(text: &str, parent: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.to_ascii_lowercase().find(parent) {
        let is_windows = parent.starts_with('\\') || rest[..at].ends_with(':');
        let after = &rest[at + parent.len()..];
        // Doubled where a program has quoted them.
        let found = after.trim_start_matches(['\\', '/']);
        out.push_str(&rest[..rest.len() - found.len()]);
        let end = name_length(found, is_windows);
        if end > 0 {
            out.push_str("USER");
        }
        rest = &found[end..];
    }
    out + rest
}

/// Length of the folder name at the start, in bytes. It may contain spaces on Windows, elsewhere if a separator follows.
fn name_length(text: &str, is_windows: bool) -> usize {
    let ends = |c: char| matches!(c, '/' | '\\' | '"' | '\'' | ':' | ';' | ',' | '\t' | '\n' | ')');
    let end = text.find(ends).unwrap_or(text.len());
    match text[..end].find(' ') {
        Some(space) if !is_windows && !text[end..].starts_with(['/', '\\', '"', '\'']) => space,
        _ => end,
    }
}

/// Replaces a name that is a separate word, in any case. `name` is in lower case.
fn replace_word(text: &str, name: &str, stand_in: &str) -> String {
    // Digits and underscores end a name: `maria2`, `maria_backup`.
    let is_long = name.chars().count() >= MIN_CHARS_IN_WORD;
    let part_of_word = |c: char| !is_long && c.is_alphabetic();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = None;
    while let Some(first) = rest.chars().next() {
        let starts_word = previous.is_none_or(|c| !part_of_word(c));
        let end = starts_word.then(|| prefix_length(rest, name)).flatten();
        match end.filter(|end| rest[*end..].chars().next().is_none_or(|c| !part_of_word(c))) {
            Some(end) => {
                out.push_str(stand_in);
                previous = rest[..end].chars().next_back();
                rest = &rest[end..];
            }
            None => {
                out.push(first);
                previous = Some(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// Length in bytes of a prefix of `text` that equals `name` in any case.
fn prefix_length(text: &str, name: &str) -> Option<usize> {
    let mut wanted = name.chars().peekable();
    for (at, c) in text.char_indices() {
        if wanted.peek().is_none() {
            return Some(at);
        }
        for lower in c.to_lowercase() {
            if wanted.next() != Some(lower) {
                return None;
            }
        }
    }
    wanted.peek().is_none().then_some(text.len())
}

#[cfg(test)]
mod tests;
