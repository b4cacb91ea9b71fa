//! Finds secrets by their form: passwords in URLs, values after words such as "token", keys of well-known services,
//! unique numbers, addresses. Removes rather too much than too little.

use std::borrow::Cow;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use regex::{Captures, Regex};

use crate::untrusted::is_invisible;

/// Public hosts and their subdomains, which do not identify a user.
const PUBLIC_HOSTS: [&str; 8] = [
    "ollama.com",
    "ollama.ai",
    "huggingface.co",
    "hf.co",
    "github.com",
    "nvidia.com",
    "localhost",
    "githubusercontent.com",
];

/// Parts of names of secrets: `AWS_SECRET_ACCESS_KEY`, `client-secret`, `Set-Cookie`. Also in
/// Spanish, with an accent of its own (macOS) or none, and in a few other languages.
const SECRET_NAME: &str = r"pass(?:word|wd|phrase|code)?|pwd|secret|token|key|auth|bearer|basic|cookie|sess(?:ion)?|sid|sig(?:nature)?|cred(?:ential)?|private|serial|jwt|otp|pin|nonce|salt|hmac|psk|mnemonic|[cx]srf|saml|imei|asset.?tag|service.?tag|\bpw|\bs/n|contrase(?:ñ|n\x{303}|n)a|clave|credencial|passwort|kennwort|senha|mot.de.passe|пароль|密码";

/// The last labels of names with dots that are files and no hosts.
const FILE_EXTENSIONS: [&str; 34] = [
    "app",
    "bin",
    "cfg",
    "conf",
    "cpp",
    "dat",
    "dll",
    "dylib",
    "exe",
    "gguf",
    "go",
    "gz",
    "icd",
    "ini",
    "json",
    "log",
    "md",
    "metallib",
    "ollama",
    "old",
    "onnx",
    "py",
    "rs",
    "safetensors",
    "service",
    "sh",
    "so",
    "sock",
    "tar",
    "toml",
    "txt",
    "yaml",
    "zip",
    "zst",
];

/// Patterns and their replacements.
const RULES: &[(&str, Replacement)] = &[
    // A key in several lines; nothing behind its beginning is of use.
    (r"(?s)-{4,} ?BEGIN.*", Replacement::Word("SECRET")),
    // Before the names: one of them may stand in it by chance, and only what is behind it would go.
    (r"[A-Za-z0-9+/]{24,}={0,2}", Replacement::Base64),
    // Everything behind a secret name: values have spaces, quotes and signs of all kinds in them.
    (r"", Replacement::AfterName),
    // What curl and others take as one word: `-u ana:password`.
    (r"(?i)(^|\s)(-u|-U|--(?:proxy-)?user)([ =]?)\S*:\S+", Replacement::Credentials),
    (r"(?i)[a-z][a-z0-9+.-]*:/{2,}\S*|//\S*@\S*", Replacement::Url),
    // A share of another computer (`\\HOST\share`), also with its backslashes doubled.
    (r#"(^|[\s"'=(,;])\\{2,}[^\s\\"']+(?:\\+[^\s"']*)?"#, Replacement::Share),
    // What a page was asked with.
    (r"\?[\w%.\[\]-]+=\S*", Replacement::Word("?SECRET")),
    (r"\S*@\S+", Replacement::Address),
    (
        r"(?:gh[a-z]_|github_pat_|gl[a-z]{2,5}-|sk-|sk_|pk_|rk_|xox[a-z][-.]|xapp-|hf_|nvapi-|AKIA|ASIA|AIza|ya29\.|GOCSPX-|eyJ|npm_|pypi-|do[op]_v1_|SG\.|shp[a-z]{2}_|glsa_|gsk_|xai-|r8_|AGE-SECRET|whsec_|dckr_pat_|tskey-|hv[bsr]\.|lin_api_|ntn_|PMAK-|dapi|sntry[su]_|rubygems_|pul-)\S{4,}",
        Replacement::Word("TOKEN"),
    ),
    (
        r"(?i)(?:GPU-|MIG-)?\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        Replacement::Word("UUID"),
    ),
    (
        r"(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5,7}\b|\b[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}\b|\b(?:wlx|enx)?[0-9a-f]{12}\b",
        Replacement::Word("MAC"),
    ),
    (r"(?i)[0-9a-f:.]*[0-9a-f:][0-9a-f:.]*[0-9a-f.](?:%[\w.-]+)?", Replacement::Ip),
    (
        r"(?i)\S*[a-z]\S*:\d{2,5}\b|\bip(?:-\d{1,3}){4}\b|\S+\.(?:local|lan|internal|intranet|corp|home|localdomain)\b|\b(?:[\p{L}\p{N}-]+\.)+\p{L}{2,24}\b",
        Replacement::Host,
    ),
    (r"(?i)(?:sha256[:-])?[a-z0-9+=]{16,}|[a-z0-9+=_-]{32,}", Replacement::Random),
];

enum Replacement {
    /// Replaced by this word.
    Word(&'static str),
    /// Everything after a secret name.
    AfterName,
    Credentials,
    Url,
    Share,
    Address,
    Ip,
    Host,
    Base64,
    Random,
}

static REGEXES: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| {
    // Any sign may stand between name and value, but a slash: that would be a path.
    let after_name = format!(r"(?is)((?:{SECRET_NAME})[\w.-]*[^\w/]+)\S.*");
    RULES
        .iter()
        .map(|(rule, stand)| {
            let rule = if matches!(stand, Replacement::AfterName) { after_name.as_str() } else { rule };
            Regex::new(rule).ok()
        })
        .collect()
});

/// Whether a setting with this name is secret.
pub fn is_secret_name(name: &str) -> bool {
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?i){SECRET_NAME}")).ok());
    NAME.as_ref().is_none_or(|regex| regex.is_match(name))
}

/// Replaces everything in the form of a secret.
pub fn mask(text: &str) -> String {
    let mut text = plain(text);
    for ((_, stand), regex) in RULES.iter().zip(REGEXES.iter()) {
        // With an invalid pattern, secrets would remain, so nothing is kept then. A test compiles all patterns.
        let Some(regex) = regex else { return "SECRET".to_owned() };
        let replaced = regex.replace_all(&text, |found: &Captures<'_>| stand.shown(found));
        if let Cow::Owned(replaced) = replaced {
            text = replaced;
        }
    }
    text
}

impl Replacement {
    fn shown(&self, found: &Captures<'_>) -> String {
        let whole = &found[0];
        match self {
            Self::Word(word) => (*word).to_owned(),
            Self::AfterName => format!("{}SECRET", &found[1]),
            Self::Credentials => format!("{}{}{}SECRET", &found[1], &found[2], &found[3]),
            Self::Share => format!(r"{}\\HOST", &found[1]),
            Self::Url => url(whole),
            // The digest after a model's name is public.
            Self::Address if whole.contains("@sha256:") => whole.to_owned(),
            Self::Address => "EMAIL".to_owned(),
            Self::Ip => ip(whole),
            Self::Host => host(whole),
            Self::Base64 => base64(whole),
            Self::Random => random(whole),
        }
    }
}

/// Without what hides a name from the rules: characters that are not seen, and letters written as `%70`.
pub fn plain(text: &str) -> String {
    let seen = |text: &str| -> String {
        text.chars().filter(|c| !is_invisible(*c) || matches!(c, '\n' | '\t')).collect()
    };
    let shown = seen(text);
    match percent_decode_str(&shown).decode_utf8() {
        Ok(decoded) => seen(&decoded),
        Err(_) => shown,
    }
}

/// A URL without user, password and query; the host only if it is public.
fn url(text: &str) -> String {
    let (scheme, rest) = text.split_once("//").unwrap_or(("", text));
    // The last `@`, because passwords may contain slashes and more of them.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, behind)| behind);
    let end = rest.find(|c: char| !(c.is_alphanumeric() || ".:[]-_".contains(c))).unwrap_or(rest.len());
    let (host_and_port, path) = rest.split_at(end);
    let (name, port) = match host_and_port.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && port.len() <= 5 => {
            (name, Some(port))
        }
        _ => (host_and_port, None),
    };
    let port = port.filter(|port| !port.is_empty()).map(|port| format!(":{port}")).unwrap_or_default();
    if !is_public(name) {
        return format!("{scheme}//HOST{port}");
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segment = |part: &str| {
        if part.len() <= 24 || part.starts_with("sha256") { part.to_owned() } else { "…".to_owned() }
    };
    format!("{scheme}//{name}{port}{}", path.split('/').map(segment).collect::<Vec<_>>().join("/"))
}

fn is_public(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    if let Ok(ip) = bare.parse::<std::net::IpAddr>() {
        return ip.is_loopback() || ip.is_unspecified();
    }
    PUBLIC_HOSTS
        .iter()
        .any(|host| bare.strip_suffix(host).is_some_and(|before| before.is_empty() || before.ends_with('.')))
}

/// A name with a port or domain. Replacements of earlier rules are kept.
fn host(text: &str) -> String {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (text, None),
    };
    let bare = name.rsplit_once("//").map_or(name, |(_, bare)| bare);
    let is_file = bare.rsplit_once('.').is_some_and(|(_, last)| is_extension(last));
    if ["HOST", "IP", "[IP]"].contains(&bare) || is_public(bare) || port.is_none() && is_file {
        return text.to_owned();
    }
    port.map_or_else(|| "HOST".to_owned(), |port| format!("HOST:{port}"))
}

fn is_extension(label: &str) -> bool {
    FILE_EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(label))
}

/// Base64 has a slash every 64 letters or so; a path has words between its slashes.
fn base64(text: &str) -> String {
    let is_no_word = |part: &str| {
        let has = |of: fn(&u8) -> bool| part.as_bytes().iter().any(of);
        part.len() >= 8
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_digit)
    };
    let has_sign = text.contains(['/', '+']);
    if has_sign && text.split('/').any(is_no_word) { "TOKEN".to_owned() } else { text.to_owned() }
}

fn ip(text: &str) -> String {
    let foreign = |address: std::net::IpAddr| !(address.is_loopback() || address.is_unspecified());
    let parsed = |text: &str| text.split('%').next().and_then(|bare| bare.parse::<std::net::IpAddr>().ok());
    if let Some(address) = parsed(text.trim_end_matches('.')) {
        return if foreign(address) { "IP".to_owned() } else { text.to_owned() };
    }
    if let Some((before, port)) = text.split_once(':')
        && let Some(address) = parsed(before)
    {
        return if foreign(address) { format!("IP:{port}") } else { text.to_owned() };
    }
    text.to_owned()
}

/// Random letters and digits. Checksums are kept: they are public and identify a file.
fn random(text: &str) -> String {
    let digits = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha256-"));
    if digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        return text.to_owned();
    }
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && text.len() >= 24;
    if has(u8::is_ascii_digit) || mixed { "TOKEN".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(REGEXES.iter().all(Option::is_some));
    }

    #[test]
    fn secrets_are_recognised_by_their_form() {
        for (text, expected) in [
            ("proxy http://ana:s3cr3tpw@proxy:3128", "proxy http://HOST:3128"),
            ("https://ana:pa/ss@w?rd@registry.ollama.ai/v2/x?sig=1", "https://registry.ollama.ai/v2/x"),
            ("//ana:pw@share/x", "//HOST"),
            ("https://fileserver/share", "https://HOST"),
            ("http://127.0.0.1:11434/api/tags", "http://127.0.0.1:11434/api/tags"),
            ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "AWS_SECRET_ACCESS_KEY=SECRET"),
            ("client_secret=abc def", "client_secret=SECRET"),
            ("run --password x --port 5", "run --password SECRET"),
            ("sig=abc", "sig=SECRET"),
            ("session=abc", "session=SECRET"),
            ("Set-Cookie: a=b; c=d", "Set-Cookie: SECRET"),
            ("\"api_key\": \"abc\"", "\"api_key\": \"SECRET"),
            ("eth0 0c-9d-92-c6-1a-2b up", "eth0 MAC up"),
            ("eth0 0c:9d:92:c6:1a:2b up", "eth0 MAC up"),
            ("0c9d.92c6.1a2b", "MAC"),
            ("lookup nas01.corp.internal on 10.1.2.3:53", "lookup HOST on IP:53"),
            ("peer [2001:db8::7]:443 and [::1]:11434", "peer [IP]:443 and [::1]:11434"),
            ("fe80::1%eth0", "IP"),
            ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "TOKEN"),
            ("AKIAIOSFODNN7EXAMPLE and xoxb-1234-abcd", "TOKEN and TOKEN"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc", "TOKEN"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz", "SECRET"),
            ("deadbeefdeadbeef0123", "TOKEN"),
            ("curl -u ana:hunter2 x", "curl -u SECRET x"),
            ("curl --proxy-user=ana:hunter2 x", "curl --proxy-user=SECRET x"),
            ("<password>hunter2</password>", "<password>SECRET"),
            ("pass\u{200b}word=hunter2", "password=SECRET"),
            ("%70assword%3Dhunter2", "password=SECRET"),
            ("la CONTRASEÑA es hunter2", "la CONTRASEÑA SECRET"),
            ("contrasen\u{303}a: hunter2", "contrasen\u{303}a: SECRET"),
            ("wpa_psk=hunter2; S/N: PF2XQ9", "wpa_psk=SECRET"),
            ("S/N PF2XQ9", "S/N SECRET"),
            (r"\\nas01\ana\x and \\\\nas01\\ana", r"\\HOST and \\HOST"),
            ("GET /callback?code=abc HTTP", "GET /callback?SECRET HTTP"),
            ("tower.fritz.box ip-10-1-2-3 wlx0c9d92c61a2b 0c9d92c61a2b", "HOST HOST MAC MAC"),
            ("aB3dE6gH9/jK2mN5pQ8sT1vW4yZ7/cF+iL=", "TOKEN"),
            ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nb3BlbnNz", "SECRET"),
            (
                "glpat-abcd1234 npm_abcd1234 AIzaSyD4x github_pat_11AB hvs.abcd",
                "TOKEN TOKEN TOKEN TOKEN TOKEN",
            ),
            (
                "libcuda.so.1 nvidia_icd.x86_64.json acolyte.log",
                "libcuda.so.1 nvidia_icd.x86_64.json acolyte.log",
            ),
            ("/usr/lib/wsl/lib:/opt/rocm/lib", "/usr/lib/wsl/lib:/opt/rocm/lib"),
            ("qwen2.5-coder:7b at 0000:01:00.0", "qwen2.5-coder:7b at 0000:01:00.0"),
            (
                "hf.co/bartowski/Meta-Llama-3.1-8B-Instruct:Q8_0",
                "hf.co/bartowski/Meta-Llama-3.1-8B-Instruct:Q8_0",
            ),
        ] {
            assert_eq!(mask(text), expected, "{text}");
        }
    }
}
