//! Redacts personal data in a report: names of the user and the machine, paths of home folders,
//! addresses, unique numbers, passwords and keys.
//!
//! In doubt a word is redacted, but checksums of models stay: they are public and say which file it
//! was.

use std::path::Path;

use crate::platform::environment::Environment;

/// Words after which a secret follows: `token=…`, `Authorization: Bearer …`, `Serial Number: …`.
const SECRET_KEYS: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "pwd",
    "token",
    "secret",
    "key",
    "apikey",
    "api_key",
    "api-key",
    "bearer",
    "basic",
    "serial",
    "serialnumber",
    "serial_number",
    "access_token",
    "auth_token",
    "cookie",
];
/// How keys of well-known services begin.
const TOKEN_PREFIXES: &[&str] =
    &["sk-", "hf_", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "AKIA", "eyJ"];
/// A word of letters and digits this long counts as a key.
const TOKEN_LENGTH: usize = 32;
/// Hexadecimal digits of a SHA-256 checksum.
const CHECKSUM_LENGTH: usize = 64;
/// Parents of home folders.
const HOME_PARENTS: [&str; 6] = ["/home/", "/Users/", "\\Users\\", "/users/", "/run/media/", "/media/"];
/// Accounts that say nothing about a user.
const NOBODY: [&str; 3] = ["root", "administrator", "system"];

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    home: Option<String>,
    /// Names and what stands for them.
    names: Vec<(String, &'static str)>,
}

impl Secrets {
    /// Those of this machine and user.
    pub fn of_this_machine() -> Self {
        let environment = Environment::of_process();
        let set = |names: &[&str]| -> Vec<String> {
            names.iter().filter_map(|name| environment.text(name)).collect()
        };
        let users = set(&["USER", "LOGNAME", "USERNAME", "SUDO_USER"]);
        let hosts: Vec<String> =
            sysinfo::System::host_name().ok().into_iter().chain(set(&["HOSTNAME", "COMPUTERNAME"])).collect();
        Self::new(
            environment.home_dir().as_deref(),
            &users.iter().map(String::as_str).collect::<Vec<_>>(),
            &hosts.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    }

    /// These.
    pub fn new(home: Option<&Path>, users: &[&str], hosts: &[&str]) -> Self {
        let folder_name = home.and_then(Path::file_name).and_then(|name| name.to_str());
        let short_hosts = hosts.iter().filter_map(|host| host.split('.').next());
        let mut names: Vec<(String, &'static str)> = users
            .iter()
            .copied()
            .chain(folder_name)
            .map(|name| (name, "USER"))
            .chain(hosts.iter().copied().chain(short_hosts).map(|name| (name, "HOST")))
            .map(|(name, stand_in)| (name.to_lowercase(), stand_in))
            .filter(|(name, _)| name.chars().count() > 1 && !NOBODY.contains(&name.as_str()))
            .collect();
        // The long name first, lest its beginning be replaced alone.
        names.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        names.dedup_by(|(a, _), (b, _)| a == b);
        let home = home.and_then(Path::to_str).filter(|home| home.len() > 1).map(str::to_owned);
        Self { home, names }
    }

    /// A path or a short message without the names of home folders. Leaves everything else as it is, so that the
    /// name of a graphics card survives on the machine of a user called "nvidia".
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

    /// A line of a log or a setting without anything personal.
    pub fn line(&self, line: &str) -> String {
        let mut text = self.path(line);
        for (name, stand_in) in &self.names {
            text = replace_word(&text, name, stand_in);
        }
        let text: String = split_keeping(&text, char::is_whitespace).map(mask_address).collect();
        mask_secrets(&text)
    }
}

/// Replaces a folder where it is a whole path or the beginning of one.
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
    while let Some(at) = rest.find(parent) {
        let (prefix, found) = rest.split_at(at + parent.len());
        out.push_str(prefix);
        let end =
            found.find(['/', '\\', '"', '\'', ':', ';', ',', ' ', '\t', '\n', ')']).unwrap_or(found.len());
        if end > 0 {
            out.push_str("USER");
        }
        rest = &found[end..];
    }
    out + rest
}

/// Replaces a name where it stands alone, whatever its case. `name` is in lower case.
fn replace_word(text: &str, name: &str, stand_in: &str) -> String {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
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

/// Bytes of `text` that are `name` in any case.
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

/// Pieces that are separators or not, in order; together they are the text.
fn split_keeping(text: &str, separator: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let kind = separator(first);
        let end = rest.find(|c| separator(c) != kind).unwrap_or(rest.len());
        let (piece, left) = rest.split_at(end);
        rest = left;
        Some(piece)
    })
}

/// E-mail, network and hardware addresses inside one piece without spaces.
fn mask_address(piece: &str) -> String {
    if piece.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.')) {
        return "EMAIL".to_owned();
    }
    let in_address = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    split_keeping(piece, |c| !in_address(c))
        .map(|part| {
            if is_mac_address(part) {
                "MAC".to_owned()
            } else if is_foreign_ip6(part) {
                "IP".to_owned()
            } else {
                let (address, port) = part.split_once(':').map_or((part, ""), |(a, _)| (a, &part[a.len()..]));
                if is_foreign_ip(address) { format!("IP{port}") } else { part.to_owned() }
            }
        })
        .collect()
}

fn is_mac_address(text: &str) -> bool {
    let pairs: Vec<&str> = text.split(':').collect();
    pairs.len() == 6
        && pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_foreign_ip(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

/// Paths of Rust's modules look alike, but hold no digits.
fn is_foreign_ip6(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.parse::<std::net::Ipv6Addr>().is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

/// Keys, tokens and unique numbers. What follows a word such as "token" is a secret up to where a value ends.
fn mask_secrets(text: &str) -> String {
    const ENDS_A_VALUE: &str = "\"'`,;&()[]{}<>";
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut out = String::with_capacity(text.len());
    let (mut after_key, mut in_secret) = (false, false);
    for piece in split_keeping(text, |c| !in_word(c)) {
        if !piece.chars().next().is_some_and(in_word) {
            let end = piece.find(|c: char| c.is_whitespace() || ENDS_A_VALUE.contains(c));
            let kept = if in_secret { &piece[end.unwrap_or(piece.len())..] } else { piece };
            in_secret &= end.is_none();
            // Anything but these between a key and a word means that the word is not its value.
            after_key &= piece.chars().all(|c| " =:\"'\t".contains(c));
            out.push_str(kept);
            continue;
        }
        if in_secret {
            continue;
        }
        let lower = piece.to_lowercase();
        let is_key = SECRET_KEYS.contains(&lower.as_str()) || lower == "number" && after_key;
        match mask_word(piece) {
            _ if after_key && !is_key => {
                out.push_str("SECRET");
                in_secret = true;
            }
            Some(stand_in) => out.push_str(stand_in),
            None => out.push_str(piece),
        }
        after_key = is_key;
    }
    out
}

fn mask_word(word: &str) -> Option<&'static str> {
    let bare = word.strip_prefix("GPU-").or_else(|| word.strip_prefix("MIG-")).unwrap_or(word);
    if is_uuid(bare) {
        return Some("UUID");
    }
    let digest = bare.strip_prefix("sha256-").unwrap_or(bare);
    if digest.len() == CHECKSUM_LENGTH && digest.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let well_known = TOKEN_PREFIXES.iter().any(|prefix| word.starts_with(prefix)) && word.len() >= 16;
    let has = |of: fn(&u8) -> bool| word.as_bytes().iter().any(of);
    let random = word.len() >= TOKEN_LENGTH && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    (well_known || random).then_some("TOKEN")
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secrets() -> Secrets {
        Secrets::new(Some(Path::new("/home/maria")), &["maria"], &["tower.example.org"])
    }

    #[test]
    fn lines_lose_what_is_personal() {
        for (line, expected) in [
            ("models in /home/maria/.ollama/models", "models in ~/.ollama/models"),
            ("models in /home/mariano/x and /Users/pepe/y", "models in /home/USER/x and /Users/USER/y"),
            (r"C:\Users\Pepe\AppData", r"C:\Users\USER\AppData"),
            ("Maria@tower: started by MARIA on tower.example.org", "USER@HOST: started by USER on HOST"),
            ("id=GPU-73e45cbc-47ea-f9a2-27e5-24963b4577bb", "id=UUID"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer SECRET"),
            ("OLLAMA_TOKEN token=\"abc123\"", "OLLAMA_TOKEN token=\"SECRET\""),
            ("Serial Number : 1423019004", "Serial Number : SECRET"),
            ("GET /v1?access_token=a.b/c+d==&n=1 HTTP", "GET /v1?access_token=SECRET&n=1 HTTP"),
            ("models on /run/media/maria/stick", "models on /run/media/USER/stick"),
            ("peer [2001:db8::7]:443 and [::1]:11434", "peer [IP]:443 and [::1]:11434"),
            ("at 12:34:56 acolyte::install::run", "at 12:34:56 acolyte::install::run"),
            ("key hf_abcdefghijklmnop", "key SECRET"),
            ("from 192.168.1.7:51234 to 127.0.0.1:11434", "from IP:51234 to 127.0.0.1:11434"),
            ("eth0 0c:9d:92:c6:1a:2b up", "eth0 MAC up"),
            ("mail maria.lopez@example.org now", "mail EMAIL now"),
            ("nothing to hide at 0000:01:00.0", "nothing to hide at 0000:01:00.0"),
        ] {
            assert_eq!(secrets().line(line), expected);
        }
    }

    #[test]
    fn check_sums_stay() {
        let line = "sha256:50539c5fe9bf85887733355098dcdb266b433cb8c73fa180713417e9ed6e42bb";
        assert_eq!(secrets().line(line), line);
    }

    #[test]
    fn names_of_hardware_survive_a_user_with_such_a_name() {
        let jetson = Secrets::new(Some(Path::new("/home/nvidia")), &["nvidia"], &["ubuntu"]);
        assert_eq!(jetson.path("nvidia GeForce in /home/nvidia/x"), "nvidia GeForce in ~/x");
    }

    proptest! {
        #[test]
        fn a_name_never_stays_as_a_word(before in ".{0,20}", after in ".{0,20}") {
            let redacted = secrets().line(&format!("{before} maria {after}"));
            let words: Vec<&str> = redacted.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
            prop_assert!(!words.contains(&"maria"), "{}", redacted);
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,80}") {
            let once = secrets().line(&text);
            prop_assert!(!once.contains("/home/maria/"));
        }
    }
}
