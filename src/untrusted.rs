//! Untrusted text: names in files and drivers, versions and errors sent by a server, log lines, file names. It must not
//! control the display: clear the terminal, set the clipboard, reverse the text direction, or hide words.
//!
//! [`UntrustedText`] is created where such text is read. It contains only visible characters: every other one is
//! replaced by its number (`\u{202e}`). It has one line and a limited length. Output (messages, terminal, window, JSON)
//! is escaped again with [`escaped`], for text without this type.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;
use std::path::Path;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use serde::{Deserialize, Deserializer, Serialize};

/// Longer texts are truncated; enough for a path or a driver's error.
pub const MAX_CHARS: usize = 1000;
/// Maximum number of combining marks on one letter. No language needs more, and more would cover the lines above.
const MAX_MARKS: usize = 4;

/// One line of untrusted text that is safe to display.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UntrustedText(String);

impl UntrustedText {
    /// Escapes everything but visible characters, including line breaks, and truncates the text at [`MAX_CHARS`].
    pub fn new(raw: &str) -> Self {
        let raw = raw.trim_end_matches(['\r', '\n']);
        let mut text = String::new();
        let mut marks = 0;
        for (length, c) in raw.chars().enumerate() {
            if length == MAX_CHARS {
                text.push('…');
                break;
            }
            match c {
                '\n' => text.push_str("\\n"),
                '\t' => text.push(' '),
                _ => push_escaped(&mut text, c, &mut marks),
            }
        }
        Self(text)
    }

    /// A path; bytes that are not UTF-8 are replaced.
    pub fn path(path: &Path) -> Self {
        Self::new(&path.to_string_lossy())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Escapes our own text that may contain untrusted text. Line breaks, tabs and visible characters are kept.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(|c| is_mark(c) || is_invisible(c) && !matches!(c, '\n' | '\t')) {
        return Cow::Borrowed(text);
    }
    let (mut out, mut marks) = (String::with_capacity(text.len()), 0);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' if rest.peek() == Some(&'\n') => {}
            _ => push_escaped(&mut out, c, &mut marks),
        }
    }
    Cow::Owned(out)
}

/// Like [`escaped`], but keeps colours and weights (`ESC [ … m`) of our tables and help.
pub fn escaped_except_styles(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return escaped(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, found) = rest.split_at(at);
        out.push_str(&escaped(before));
        let length = style_length(found).unwrap_or(1);
        let (sequence, after) = found.split_at(length);
        out.push_str(&if length > 1 { Cow::Borrowed(sequence) } else { escaped(sequence) });
        rest = after;
    }
    out.push_str(&escaped(rest));
    Cow::Owned(out)
}

/// Length in bytes of a style sequence (`ESC [ … m`) at the start of a text.
fn style_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    parameters[end..].starts_with('m').then_some(end + 3)
}

/// Replaces invisible characters in JSON by `\uXXXX`, which parsers decode. Outside of strings JSON has none of them.
pub fn escaped_json(json: String) -> String {
    let plain = |c: char| c == '\n' || !is_invisible(c);
    if json.is_ascii() && !json.contains('\u{7f}') || json.chars().all(plain) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if plain(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn push_escaped(out: &mut String, c: char, marks: &mut usize) {
    *marks = if is_mark(c) { *marks + 1 } else { 0 };
    if is_invisible(c) || *marks > MAX_MARKS {
        out.extend(c.escape_unicode());
    } else {
        out.push(c);
    }
}

/// Whether a character is invisible: controls, text direction, zero width, line and paragraph separators.
pub fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let acts = matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    );
    acts || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn is_mark(c: char) -> bool {
    !c.is_ascii()
        && matches!(
            CodePointMapData::<GeneralCategory>::new().get(c),
            GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark
        )
}

impl From<&str> for UntrustedText {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for UntrustedText {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl From<&String> for UntrustedText {
    fn from(raw: &String) -> Self {
        Self::new(raw)
    }
}

impl<'de> Deserialize<'de> for UntrustedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer).map(|raw| Self::new(&raw))
    }
}

impl Deref for UntrustedText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Compared, ordered and hashed like its text.
impl Borrow<str> for UntrustedText {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for UntrustedText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UntrustedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PartialEq<str> for UntrustedText {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for UntrustedText {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for UntrustedText {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

impl From<UntrustedText> for String {
    fn from(text: UntrustedText) -> Self {
        text.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Clears the screen, sets the clipboard (OSC 52), sets the window's title.
    const SEQUENCES: [&str; 3] = ["\u{1b}[2J", "\u{1b}]52;c;ZXZpbA==\u{7}", "\u{9b}2J\u{9d}0;x\u{9c}"];

    #[test]
    fn invisible_characters_are_replaced_by_their_numbers() {
        for sequence in SEQUENCES {
            let shown = UntrustedText::new(&format!("RTX{sequence}4060"));
            assert!(!shown.chars().any(char::is_control), "{shown}");
        }
        for (raw, shown) in [
            ("RTX\u{1b}[2J4060", r"RTX\u{1b}[2J4060"),
            ("8 GB\u{202e}BG 42", r"8 GB\u{202e}BG 42"),
            ("a\u{200b}b\u{2028}c\u{feff}d\u{ad}e\u{61c}", r"a\u{200b}b\u{2028}c\u{feff}d\u{ad}e\u{61c}"),
            ("\u{2066}x\u{2069}\u{e0041}", r"\u{2066}x\u{2069}\u{e0041}"),
            ("first\nacolyte: all is well\r\n", r"first\nacolyte: all is well"),
            ("one\ttwo\u{7f}", r"one two\u{7f}"),
            ("Año 2026 — ñandú, 模型, Ελλάδα, a\u{301}", "Año 2026 — ñandú, 模型, Ελλάδα, a\u{301}"),
        ] {
            assert_eq!(UntrustedText::new(raw), shown);
        }
        let piled = UntrustedText::new(&format!("a{}", "\u{301}".repeat(50)));
        assert_eq!(piled.matches('\u{301}').count(), MAX_MARKS);
        let long = UntrustedText::new(&"x".repeat(5000));
        assert_eq!(long.chars().count(), MAX_CHARS + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn our_text_keeps_its_lines_and_styles() {
        assert_eq!(escaped("one\r\n\ttwo\u{1b}[1m"), "one\n\ttwo\\u{1b}[1m");
        let ours = "\u{1b}[1mName\u{1b}[0m\n";
        assert_eq!(escaped_except_styles(ours), ours);
        for sequence in SEQUENCES {
            let shown = escaped_except_styles(&format!("{ours}{sequence}")).into_owned();
            let left = shown.strip_prefix(ours).unwrap_or_default();
            assert!(!left.is_empty() && !left.chars().any(char::is_control), "{shown:?}");
        }
        for cut in ["\u{1b}", "\u{1b}[", "\u{1b}[1;", "\u{1b}[?25l", "\u{1b}[1\u{202e}m"] {
            assert!(!escaped_except_styles(cut).contains(['\u{1b}', '\u{202e}']), "{cut:?}");
        }
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let raw = "\u{202e}\u{9b}\u{7f}\u{e0041}ñ";
        let json = escaped_json(serde_json::to_string(raw).unwrap_or_default());
        assert_eq!(json, r#""\u202e\u009b\u007f\udb40\udc41ñ""#);
        assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(raw));
    }

    proptest! {
        #[test]
        fn no_invisible_character_is_left(raw in any::<String>()) {
            let shown = UntrustedText::new(&raw);
            prop_assert!(!shown.chars().any(is_invisible), "{:?}", shown);
            prop_assert_eq!(&UntrustedText::new(&shown), &shown, "escaped text is unchanged");
            for text in [escaped(&raw), escaped_except_styles(&raw.replace('\u{1b}', "")), escaped(&shown)] {
                prop_assert!(!text.chars().any(|c| is_invisible(c) && c != '\n' && c != '\t'), "{:?}", text);
            }
        }
    }
}
