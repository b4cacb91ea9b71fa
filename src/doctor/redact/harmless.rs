//! Allowlist of log lines for a report. A line is kept if it has one of the [`SHAPES`] and consists of public words
//! (`words.txt`: words of the engine's and our source code) and short numbers. Everything else is replaced by
//! [`LEFT_OUT`].

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

/// Replaces a text that is not known to be harmless.
pub const LEFT_OUT: &str = "[left out]";
/// Replaces one value in a harmless line.
const VALUE: &str = "…";
/// Longer lines are not kept.
const MAX_LINE_BYTES: usize = 2000;
/// Maximum number of consecutive digits. Sizes in bytes have more, but so have serial and telephone numbers.
const MAX_DIGITS: usize = 8;
/// The same with a unit: the number of an identity card ends in a letter too.
const MAX_QUANTITY_DIGITS: usize = 6;

/// Shapes of harmless lines; the first match applies.
const SHAPES: &[LineShape] = &[
    LineShape {
        why: "the engine's server: level, place in its source and message; values one by one",
        shown: server_line,
    },
    LineShape {
        why: "the engine's list of requests from this computer: paths of its API",
        shown: request_line,
    },
    LineShape { why: "our own log: the message is in our source; values one by one", shown: own_line },
    LineShape {
        why: "the engine's runner: what it loads, where to, and how large it is",
        shown: runner_line,
    },
    LineShape { why: "a card that the runner found, by a name from a public vocabulary", shown: device_line },
    LineShape { why: "how programs end: messages of the system and the loader", shown: end_line },
];

struct LineShape {
    /// Why lines of this shape contain no personal data.
    #[cfg_attr(not(test), expect(dead_code, reason = "documentation; a test requires it"))]
    why: &'static str,
    /// Returns the redacted line, if it has this shape.
    shown: fn(&HarmlessWords, &str) -> Option<String>,
}

/// The public words.
pub struct HarmlessWords {
    words: HashSet<String>,
}

impl HarmlessWords {
    /// Words of the engine's and our own source.
    pub fn of_logs() -> &'static Self {
        static WORDS: LazyLock<HarmlessWords> = LazyLock::new(|| HarmlessWords::with(&[]));
        &WORDS
    }

    /// Also includes the words of `texts`, for messages in the user's language.
    pub fn with(texts: &[&str]) -> Self {
        let own = include_str!("words.txt").lines().map(str::to_owned);
        let more = texts.iter().flat_map(|text| pieces(text)).map(str::to_lowercase);
        let words = own.chain(more.filter(|word| !SECRET_WORDS.contains(&word.as_str()))).collect();
        Self { words }
    }

    /// Redacts a log. Consecutive omitted lines are replaced by one.
    pub fn log<'a>(&self, lines: impl Iterator<Item = &'a str>) -> Vec<String> {
        self.kept(lines, |line| SHAPES.iter().find_map(|shape| (shape.shown)(self, line)))
    }

    /// Keeps lines that consist of these words, of any shape.
    pub fn plain<'a>(&self, lines: impl Iterator<Item = &'a str>) -> Vec<String> {
        self.kept(lines, |line| self.are_all(line).then(|| line.to_owned()))
    }

    fn kept<'a>(
        &self,
        lines: impl Iterator<Item = &'a str>,
        shown: impl Fn(&str) -> Option<String>,
    ) -> Vec<String> {
        let mut kept: Vec<String> = Vec::new();
        let mut left_out = 0_usize;
        for line in lines {
            match Some(line).filter(|line| line.len() <= MAX_LINE_BYTES).and_then(&shown) {
                Some(line) => {
                    left_out = 0;
                    kept.push(line);
                }
                None => {
                    if left_out > 0 {
                        kept.pop();
                    }
                    left_out += 1;
                    kept.push(match left_out {
                        1 => LEFT_OUT.to_owned(),
                        lines => format!("[{lines} lines left out]"),
                    });
                }
            }
        }
        kept
    }

    /// Whether a text consists of public words, short numbers and punctuation.
    pub fn are_all(&self, text: &str) -> bool {
        static PLACE_ON_THE_BUS: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"\b0000:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b").ok());
        static GROUPS: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r"\d+(?:[:-]\d+){2,}|\d{3,}(?: \d{3,}){2,}|:[0-9A-Fa-f]*:|\b[0-9A-Fa-f]{1,4}(?:[:-][0-9A-Fa-f]{1,4}){3,}|\b\d{2,4}(?:[ .]\d{2,4}){3,}|\b\d{3,4}(?:[ .]\d{3,4}){2}\b|\b[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}\b").ok()
        });
        let (Some(bus), Some(groups)) = (PLACE_ON_THE_BUS.as_ref(), GROUPS.as_ref()) else { return false };
        let text = bus.replace_all(text, "");
        text.chars()
            .all(|c| c.is_alphanumeric() || c == ' ' || c == '\t' || c == '…' || c.is_ascii_punctuation())
            && !text.contains('@')
            && !groups.is_match(&text)
            && addresses_are_loopback(&text)
            && pieces(&text).all(|piece| self.is_public(piece))
    }

    fn is_public(&self, piece: &str) -> bool {
        if piece.bytes().all(|byte| byte.is_ascii_digit()) {
            return piece.len() <= MAX_DIGITS;
        }
        let lower = piece.to_lowercase();
        let (word, digits) = without_digits(&lower);
        UNITS.contains(&lower.as_str())
            || self.words.contains(&lower)
            || digits <= 2 && self.words.contains(word)
            || is_quantity(&lower)
    }

    /// Redacts a value.
    fn value<'a>(&self, value: &'a str) -> &'a str {
        if self.are_all(value) || is_checksum(value) { value } else { VALUE }
    }
}

/// Words that a secret may follow. Excluded from every vocabulary.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "token",
    "secret",
    "key",
    "keys",
    "auth",
    "authorization",
    "bearer",
    "basic",
    "cookie",
    "session",
    "credential",
    "credentials",
    "serial",
    "contraseña",
    "clave",
    "secreto",
    "usuario",
    "user",
];

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty())
}

/// A word without its trailing digits, and their number.
fn without_digits(word: &str) -> (&str, usize) {
    let bare = word.trim_end_matches(|c: char| c.is_ascii_digit());
    (bare, word.len() - bare.len())
}

/// Units of sizes and times, in lower case.
const UNITS: [&str; 25] = [
    "b", "k", "m", "g", "kb", "mb", "gb", "kib", "mib", "gib", "ms", "us", "µs", "ns", "s", "h", "x", "d",
    "t", "z", "bit", "mhz", "ghz", "e", "th",
];

/// Numbers with units: `28mib`, `7b`, `3h41m14`.
fn is_quantity(piece: &str) -> bool {
    let mut rest = piece;
    // Only times have several parts; an address of a network card would be taken for one of bytes and days.
    const TIMES: [&str; 7] = ["h", "m", "s", "ms", "us", "µs", "ns"];
    let (mut parts, mut all_digits) = (0, 0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        let fits = (1..=MAX_QUANTITY_DIGITS).contains(&digits)
            && (unit == digits || UNITS.contains(&&rest[digits..unit]));
        parts += 1;
        all_digits += digits;
        let is_time = unit == digits || TIMES.contains(&&rest[digits..unit]);
        let is_whole = parts == 1 && unit == rest.len();
        if !fits || !(is_time || is_whole) || parts > 4 || all_digits > MAX_DIGITS {
            return false;
        }
        rest = &rest[unit..];
    }
    true
}

/// `sha256:…`: identifies a model file, which is public.
fn is_checksum(value: &str) -> bool {
    let digits = value.strip_prefix("sha256:").or_else(|| value.strip_prefix("sha256-"));
    digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Four numbers separated by dots are an address; only loopback ones are harmless.
fn addresses_are_loopback(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|run| run.trim_matches('.'))
        .filter(|run| run.matches('.').count() >= 3)
        .all(|run| run.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified()))
}

/// `time=… level=INFO source=routes.go:1953 msg="…" name=value`.
fn server_line(words: &HarmlessWords, line: &str) -> Option<String> {
    static START: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) level=(?:DEBUG|INFO|WARN|ERROR) ").ok()
    });
    let start = START.as_ref()?.find(line)?;
    let mut shown = start.as_str().trim_end().to_owned();
    for (name, value) in fields(&line[start.end()..])? {
        let bare = value.trim_matches('"');
        if name == "msg" && !words.are_all(bare) {
            return None;
        }
        let quote = if value.starts_with('"') { "\"" } else { "" };
        let name = if words.are_all(name) { name } else { VALUE };
        shown.push_str(&format!(" {name}={quote}{}{quote}", words.value(bare)));
    }
    Some(shown)
}

/// Parses `name=value name="several words"`.
fn fields(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut fields = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let end = if after.starts_with('"') {
            quoted_length(after)?
        } else {
            after.find(' ').unwrap_or(after.len())
        };
        fields.push((name, &after[..end]));
        rest = after[end..].trim_start();
    }
    Some(fields)
}

/// Length of the quoted text at the start in bytes, quotes included.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// `[GIN] 2026/11/27 - 03:48:22 | 200 | 1.2ms | 127.0.0.1 | GET "/api/version"`.
fn request_line(words: &HarmlessWords, line: &str) -> Option<String> {
    static SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"^\[GIN\] \d{4}/\d\d/\d\d - \d\d:\d\d:\d\d \| \d{3} \| +[\d.hm]+[µmn]?s \| +(?:127\.0\.0\.1|::1) \| (?:GET|HEAD|POST|DELETE) +"(/[a-z0-9/]*)"$"#,
        )
        .ok()
    });
    let path = SHAPE.as_ref()?.captures(line)?.get(1)?;
    words.are_all(path.as_str()).then(|| line.to_owned())
}

/// `2026-11-27T03:48:22.1Z  INFO acolyte::install::steps: the message name=value`.
fn own_line(words: &HarmlessWords, line: &str) -> Option<String> {
    static START: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z) +(TRACE|DEBUG|INFO|WARN|ERROR) acolyte((?:::[a-z_]+)*): ").ok()
    });
    static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:^| )([a-z_.]+)=").ok());
    let start = START.as_ref()?.captures(line)?;
    let rest = &line[start.get(0)?.end()..];
    let part = start[3].split("::").nth(1).unwrap_or_default();
    let part = if words.are_all(part) { part } else { VALUE };
    let names: Vec<_> = NAME.as_ref()?.captures_iter(rest).collect();
    let end = names.first().and_then(|first| first.get(0)).map_or(rest.len(), |first| first.start());
    let message = &rest[..end];
    if !words.are_all(message) {
        return None;
    }
    let mut shown = format!("{} {} acolyte::{part}: {message}", &start[1], &start[2]);
    for (at, name) in names.iter().enumerate() {
        let end = names.get(at + 1).and_then(|next| next.get(0)).map_or(rest.len(), |next| next.start());
        let value = words.value(&rest[name.get(0)?.end()..end]);
        let name = if words.are_all(&name[1]) { &name[1] } else { VALUE };
        shown.push_str(&format!(" {name}={value}"));
    }
    Some(shown)
}

/// `load_tensors: offloaded 25/29 layers to GPU`.
fn runner_line(words: &HarmlessWords, line: &str) -> Option<String> {
    static START: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(?:(?:srv|slot|cmn|ggml|main|init)\b|[a-z]+(?:_[a-z0-9]+)+)(?: +[a-z_]+)? *: ").ok()
    });
    (START.as_ref()?.is_match(line) && words.are_all(line)).then(|| line.to_owned())
}

/// `  Device 0: NVIDIA GeForce RTX 4060, compute capability 8.9, VMM: yes`.
fn device_line(words: &HarmlessWords, line: &str) -> Option<String> {
    (line.trim_start().starts_with("Device ") && words.are_all(line)).then(|| line.to_owned())
}

/// `ollama: error while loading shared libraries: libstdc++.so.6: cannot open shared object file`.
fn end_line(words: &HarmlessWords, line: &str) -> Option<String> {
    let starts = [
        "error",
        "ollama: error",
        "Error",
        "panic:",
        "fatal error:",
        "signal",
        "cudaMalloc failed",
        "CUDA error",
    ];
    (starts.iter().any(|start| line.trim_start().starts_with(start)) && words.are_all(line))
        .then(|| line.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Redacts one line.
    fn shown(line: &str) -> String {
        HarmlessWords::of_logs().log(std::iter::once(line)).concat()
    }

    #[test]
    fn every_shape_has_its_reason() {
        assert!(SHAPES.iter().all(|shape| shape.why.len() > 30));
    }

    #[test]
    fn no_public_word_precedes_secrets() {
        for word in SECRET_WORDS {
            assert!(!HarmlessWords::of_logs().words.contains(*word), "{word}");
            assert!(!HarmlessWords::with(&[word]).words.contains(*word), "{word}");
        }
    }

    /// The purpose of a report: what was loaded where, what did not fit, what the engine found and refused.
    #[test]
    fn lines_that_explain_a_problem_are_kept() {
        for line in [
            "load_tensors: offloaded 25/29 layers to GPU",
            "load_tensors:        CUDA0 model buffer size =  3673.40 MiB",
            "llama_kv_cache: size =  952.00 MiB ( 32768 cells,  28 layers,  1/1 seqs), K (q8_0):  476.00 MiB, V (q8_0):  476.00 MiB",
            "llama_model_load_from_file_impl: using device CUDA0 (NVIDIA GeForce RTX 4060) (0000:01:00.0) - 7100 MiB free",
            "llama_context: flash_attn            = enabled",
            "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 304.75 MiB on device 0: cudaMalloc failed: out of memory",
            "print_info: n_ctx_train           = 32768",
            "print_info: file type   = Q4_K - Medium",
            "error while handling argument \"--cache-type-k\": Unsupported cache type: q8",
            "llama_init_from_model: quantized V cache requires flash_attn to be enabled",
            "srv  llama_server: model loaded",
            "  Device 0: NVIDIA GeForce RTX 4060, compute capability 8.9, VMM: yes",
            "ollama: error while loading shared libraries: libstdc++.so.6: cannot open shared object file: No such file or directory",
            "time=2026-11-23T03:40:27.675Z level=INFO source=routes.go:2008 msg=\"Listening on 127.0.0.1:42434 (version 0.32.15)\"",
            "time=2026-11-23T03:40:27.734Z level=INFO source=types.go:50 msg=\"inference compute\" id=0 library=CUDA compute=8.9 \
             name=CUDA0 description=\"NVIDIA GeForce RTX 4060\" libdirs=ollama,cuda_v12 driver=13.0 pci_id=0000:01:00.0 \
             type=discrete total=\"8.0 GiB\" available=\"7.1 GiB\"",
            "[GIN] 2026/11/27 - 03:48:22 | 200 |     1.234ms |       127.0.0.1 | POST     \"/api/generate\"",
        ] {
            assert_eq!(shown(line), line);
        }
        for (line, expected) in [
            (
                "2026-11-27T03:48:22.123456Z  WARN acolyte::hardware::probe: an attempt at downloading failed error=/home/ana/x: os error 13",
                "2026-11-27T03:48:22.123456Z WARN acolyte::hardware: an attempt at downloading failed error=…",
            ),
            (
                "time=2026-11-23T03:40:27.674Z level=INFO source=routes.go:1951 msg=\"server config\" env=\"map[HTTPS_PROXY:http://a:b@c]\"",
                "time=2026-11-23T03:40:27.674Z level=INFO source=routes.go:1951 msg=\"server config\" env=\"…\"",
            ),
        ] {
            assert_eq!(shown(line), expected);
        }
    }

    /// More than half of a real engine's log lines are kept, and all that our own parser uses.
    #[test]
    fn recorded_logs_are_still_useful() {
        for log in [
            include_str!("../../../tests/fixtures/ollama/server-log-load-q8_0-cpu.log"),
            include_str!("../../../tests/fixtures/ollama/server-log-load-f16-cpu.log"),
            include_str!("../../../tests/fixtures/ollama/server-log-load-q4_0-cpu.log"),
            include_str!("../../../tests/fixtures/ollama/server-log-load-failed-kv-type.log"),
            include_str!("../../../tests/fixtures/ollama/server-log-load-failed-no-flash-attention.log"),
            include_str!("../../../tests/fixtures/ollama/made-up-cuda-partial.log"),
        ] {
            let kept = HarmlessWords::of_logs().log(log.lines());
            let lines = kept.iter().filter(|line| !line.ends_with("left out]")).count();
            assert!(
                lines * 2 > log.lines().count(),
                "{lines} of {}:\n{}",
                log.lines().count(),
                kept.join("\n")
            );
            let (before, after) = (
                crate::ollama::evidence::LoadEvidence::parse(log),
                crate::ollama::evidence::LoadEvidence::parse(&kept.join("\n")),
            );
            assert_eq!(after.buffers, before.buffers);
            assert_eq!(after.offloaded, before.offloaded);
            assert_eq!(after.kv_cache_types, before.kv_cache_types);
            assert_eq!(after.error_lines, before.error_lines);
        }
    }

    #[test]
    fn unknown_lines_are_omitted() {
        for line in [
            "How are you?",
            "load_tensors: offloaded 25/29 layers to filomena",
            "print_info: general.name          = Filomena's diary",
            "llama_model_loader: loaded meta data from /home/ana/models/x.gguf",
            "srv  model: 203.0.113.9:5000",
            "slot server: 00-11-22-33-44-55 2001:0:0:1::7",
            "srv  load: 4111 1111 1111 1111 or 1423019004",
            "[GIN] 2026/11/27 - 03:48:22 | 200 |     1.234ms |       10.0.0.7 | POST     \"/api/generate\"",
            "error: token abc",
            "load_tensors: \u{202e}layers",
            "main: 612345678",
            "main: 612 34 56 78 or 612.345.678",
            "main: 12345678Z",
            "main: 0011.2233.4455",
            "load_tensors: layers Bearer layers",
            "time=2026-11-23T03:40:27.675Z level=INFO source=routes.go:1 msg=\"pass\u{200b}word layers\"",
        ] {
            assert_eq!(shown(line), LEFT_OUT, "{line}");
        }
        let three = HarmlessWords::of_logs().log("a secret\nanother\nload_tensors: layers\nthird".lines());
        assert_eq!(three, ["[2 lines left out]", "load_tensors: layers", LEFT_OUT]);
    }
}
