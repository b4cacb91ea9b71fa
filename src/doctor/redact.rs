//! Takes personal data out of a report: names of the user and the machine, paths of home folders, addresses, unique
//! numbers, passwords and keys.
//!
//! Three measures. Of logs and error texts only lines stay that are known to be harmless ([`harmless`]). In short texts
//! (settings, names of models, paths) everything goes that has the form of a secret ([`secrets`]), in doubt too much. From
//! both, the names of this user and this computer are removed.

mod harmless;
mod secrets;

use std::path::Path;

use harmless::{LEFT_OUT, Words};
pub use secrets::is_secret_name;

use crate::platform::environment::Environment;

/// Parents of home folders.
const HOME_PARENTS: [&str; 6] = ["/home/", "/Users/", "\\Users\\", "/users/", "/run/media/", "/media/"];
/// Accounts that say nothing about a user.
const NOBODY: [&str; 3] = ["root", "administrator", "system"];
/// The shortest part of a name that is looked for, in characters: shorter ones are parts of too many words.
const MIN_PART_CHARS: usize = 3;

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

    /// These.
    pub fn new(home: Option<&Path>, users: &[&str], hosts: &[&str]) -> Self {
        let folder_name = home.and_then(Path::file_name).and_then(|name| name.to_str());
        let short_hosts = hosts.iter().filter_map(|host| host.split('.').next());
        // Every word of a name: "Ana María López" is also called López.
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

    /// A short text (a setting, the name of a model) without anything personal.
    pub fn line(&self, line: &str) -> String {
        secrets::mask(&self.without_names(line))
    }

    /// An error in the words of a driver or the system: as it is where it is harmless.
    pub fn error(&self, text: &str) -> String {
        if text.is_empty() || Words::of_logs().are_all(text) {
            return self.without_names(text);
        }
        LEFT_OUT.to_owned()
    }

    /// What may be shown of a log.
    pub fn log<'a>(&self, lines: impl Iterator<Item = &'a str>) -> Vec<String> {
        Words::of_logs().log(lines).iter().map(|line| self.without_names(line)).collect()
    }

    /// What may be shown of lines that we have said ourselves, in the words of these texts.
    pub fn own_lines<'a>(&self, lines: impl Iterator<Item = &'a str>, texts: &[&str]) -> Vec<String> {
        Words::with(texts).plain(lines).iter().map(|line| self.without_names(line)).collect()
    }

    fn without_names(&self, text: &str) -> String {
        let mut text = self.path(text);
        for (name, stand_in) in &self.names {
            text = replace_word(&text, name, stand_in);
        }
        text
    }
}

/// The user's full name, where the system has it in a file that everybody can read.
#[cfg(unix)]
fn full_name(users: &[String], home: Option<&Path>) -> Option<String> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    name_in(&accounts, users, home)
}

/// Windows has it in a database that needs a call per account; the folder below `Users` often is the name.
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
        let end = name_length(found);
        if end > 0 {
            out.push_str("USER");
        }
        rest = &found[end..];
    }
    out + rest
}

/// Bytes of the folder's name at the beginning. Names have spaces on Windows and macOS: one that ends in a separator takes
/// them along.
fn name_length(text: &str) -> usize {
    let ends = |c: char| matches!(c, '/' | '\\' | '"' | '\'' | ':' | ';' | ',' | '\t' | '\n' | ')');
    let end = text.find(ends).unwrap_or(text.len());
    match text[..end].find(' ') {
        Some(space) if !text[end..].starts_with(['/', '\\', '"', '\'']) => space,
        _ => end,
    }
}

/// Replaces a name where it stands alone, whatever its case. `name` is in lower case.
fn replace_word(text: &str, name: &str, stand_in: &str) -> String {
    // Digits and underscores end a name: `maria2`, `maria_backup`.
    let part_of_word = char::is_alphabetic;
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secrets() -> Secrets {
        Secrets::new(
            Some(Path::new("/home/maria")),
            &["maria", "Ana María López-Ruiz"],
            &["tower.example.org"],
        )
    }

    #[test]
    fn lines_lose_what_is_personal() {
        for (line, expected) in [
            ("models in /home/maria/.ollama/models", "models in ~/.ollama/models"),
            ("models in /home/mariano/x and /Users/pepe/y", "models in /home/USER/x and /Users/USER/y"),
            (r"C:\Users\Pepe\AppData", r"C:\Users\USER\AppData"),
            (r"C:\Users\Pepa Pérez\AppData", r"C:\Users\USER\AppData"),
            ("started by MARIA on tower.example.org", "started by USER on HOST"),
            ("maria2 maria_backup lópez RUIZ-notes", "USER2 USER_backup USER USER-notes"),
            ("Maria@tower: hello", "EMAIL hello"),
            ("id=GPU-73e45cbc-47ea-f9a2-27e5-24963b4577bb", "id=UUID"),
            ("Authorization: Bearer abc.def", "Authorization: SECRET"),
            ("OLLAMA_TOKEN token=\"abc123\"", "OLLAMA_TOKEN SECRET"),
            ("Serial Number : 1423019004", "Serial SECRET"),
            ("GET /v1?access_token=a.b/c+d==&n=1 HTTP", "GET /v1?access_token=SECRET"),
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

    #[test]
    fn the_full_name_of_the_user_is_read() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\nmaria:x:1000:1000:Ana María López,,,:/home/maria:/bin/sh\n";
        let name = |users: &[String], home| name_in(accounts, users, home);
        assert_eq!(name(&["maria".to_owned()], None).as_deref(), Some("Ana María López"));
        assert_eq!(name(&[], Some(Path::new("/home/maria"))).as_deref(), Some("Ana María López"));
        assert_eq!(name(&["pepe".to_owned()], None), None);
    }

    #[test]
    fn errors_stay_where_they_are_harmless() {
        let harmless = "libnvidia-ml.so.1: cannot open shared object file: No such file or directory";
        assert_eq!(secrets().error(harmless), harmless);
        assert_eq!(secrets().error("cannot open /home/ana/x for filomena"), "[left out]");
        let said = "Falta espacio en el disco: 12,5 GB\nfilomena";
        let kept = secrets().own_lines(said.lines(), &["falta = Falta espacio en el disco: { $size }"]);
        assert_eq!(kept, ["Falta espacio en el disco: 12,5 GB", "[left out]"]);
    }

    /// A secret as people have them: letters and digits that no word has, also with signs.
    fn secret() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{3}[0-9]{2}[A-Za-z0-9]{4,20}",
            "[A-Z][a-z]{4,8}[!#$%&*+?^~][0-9]{2,4}",
            "zq[a-z]{6,12}",
            "[0-9]{3}[a-z]{3}[0-9]{3}/[a-z]{3}zq[0-9]{2}",
            "[A-Za-z0-9+/]{20,40}zq=",
        ]
        .prop_filter("no word of ours by chance", |secret| !Words::of_logs().are_all(secret))
    }

    /// Ways in which programs write a secret down; `{}` is where it stands.
    const SYNTAXES: &[&str] = &[
        "http://ana:{}@proxy:3128",
        "https://{}@git.example.org/x",
        "proxy=//ana:{}@proxy",
        "ana:{}@proxy:3128",
        "https://{}/share",
        "https://registry.ollama.ai/v2/x?sig={}&n=1",
        "https://hooks.example.com/services/{}",
        "AWS_SECRET_ACCESS_KEY={}",
        "export CLIENT_SECRET='{}'",
        "client_secret: \"{}\"",
        "--password {}",
        "--api-key={} --port 1",
        "sig={}",
        "session={}; path=/",
        "Cookie: a=1; sid={}",
        "Set-Cookie: id={}; Secure",
        "Authorization: Bearer {}",
        "authorization: Basic {}",
        "{\"token\":\"{}\"}",
        "token => {}",
        "X-Api-Key: {}",
        "password is: {}",
        "passwd\t{}",
        "MY_PIN={}",
        "ghp_{}0000",
        "sk-{}0000",
        "hf_{}0000",
        "xoxb-{}0000",
        "eyJ{}.{}.x",
        "-----BEGIN RSA PRIVATE KEY----- {} -----END RSA PRIVATE KEY-----",
        "mail {}@example.org",
        "user@{}.internal",
        "lookup {}.corp on 10.1.1.1:53",
        "host {}:3128",
        "serial number: {}",
    ];

    /// How lines of logs begin, and how they hold values.
    const LINES: &[&str] = &[
        "{}",
        "load_tensors: {}",
        "srv  load_model: {}",
        "  Device 0: {}",
        "error: {}",
        "time=2026-11-23T03:40:27.675Z level=INFO source=routes.go:1 msg=\"{}\"",
        "time=2026-11-23T03:40:27.675Z level=WARN source=routes.go:1 msg=\"request failed\" error=\"{}\" a={}",
        "2026-11-27T03:48:22.1Z  WARN acolyte::install: {}",
        "2026-11-27T03:48:22.1Z  WARN acolyte::install: length unknown error={} path={}",
        "[GIN] 2026/11/27 - 03:48:22 | 200 | 1.2ms | 127.0.0.1 | GET \"/api/{}\"",
        "{\"level\":\"info\",\"msg\":\"{}\"}",
        "\u{1b}[1m{}\u{1b}[0m",
        "level=INFO load_tensors: \"{}\"",
        "panic: {}",
    ];

    proptest! {
        #[test]
        fn a_name_never_stays_as_a_word(before in ".{0,20}", after in ".{0,20}") {
            let redacted = secrets().line(&format!("{before} maria {after}"));
            let words: Vec<&str> = redacted.split(|c: char| !c.is_alphabetic()).collect();
            prop_assert!(!words.contains(&"maria"), "{}", redacted);
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,80}") {
            let once = secrets().line(&text);
            prop_assert!(!once.contains("/home/maria/"));
            let lines = secrets().log(text.lines());
            prop_assert!(lines.len() <= text.lines().count());
        }

        /// Whatever syntax a secret is written in, it does not stay in a setting.
        #[test]
        fn no_secret_survives_in_a_text(secret in secret(), at in 0..SYNTAXES.len(), before in "[a-z ]{0,12}") {
            let text = format!("{before} {}", SYNTAXES[at].replace("{}", &secret));
            let shown = secrets().line(&text);
            prop_assert!(!shown.contains(&secret), "{text} -> {shown}");
        }

        /// Nor in any line of a log, in whatever syntax and wherever it stands.
        #[test]
        fn no_secret_survives_in_a_log(
            secret in secret(), syntax in 0..SYNTAXES.len(), line in 0..LINES.len(), bare in any::<bool>(),
        ) {
            let written = if bare { secret.clone() } else { SYNTAXES[syntax].replace("{}", &secret) };
            let text = LINES[line].replace("{}", &written);
            let shown = secrets().log(text.lines()).join("\n");
            prop_assert!(!shown.contains(&secret), "{text} -> {shown}");
            prop_assert!(!secrets().error(&text).contains(&secret));
        }

        /// Addresses, numbers of devices and of people.
        #[test]
        fn no_unique_number_survives(
            ip in any::<[u8; 4]>(), six in any::<[u16; 8]>(), mac in any::<[u8; 6]>(), id in 1_000_000_000_u64..,
            line in 0..LINES.len(),
        ) {
            let ip = std::net::Ipv4Addr::from(ip);
            prop_assume!(!ip.is_loopback() && !ip.is_unspecified());
            let six = std::net::Ipv6Addr::from(six);
            prop_assume!(!six.is_loopback() && !six.is_unspecified());
            let pairs: Vec<String> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
            let numbers = [ip.to_string(), six.to_string(), pairs.join(":"), pairs.join("-"), pairs.join("-").to_uppercase()];
            for number in &numbers {
                let text = LINES[line].replace("{}", &format!("from {number} to"));
                prop_assert!(!secrets().log(text.lines()).join("\n").contains(number), "{text}");
                let shown = secrets().line(&format!("from {number} to"));
                prop_assert!(!shown.contains(number), "{shown}");
            }
            let text = LINES[line].replace("{}", &id.to_string());
            prop_assert!(!secrets().log(text.lines()).join("\n").contains(&id.to_string()), "{text}");
        }
    }
}
